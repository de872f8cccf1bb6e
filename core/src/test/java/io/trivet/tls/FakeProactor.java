package io.trivet.tls;

import io.trivet.net.Completions;
import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.Proactor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A proactor without sockets, below a {@link TlsProactor}: the test says what a connection receives, and reads what it sends. Every byte
 * is accepted for sending, unless a send is to fail.
 */
final class FakeProactor {
    private final ByteBuffer memory = ByteBuffer.allocateDirect(1 << 20);
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    private final Proactor proactor = (Proactor) Proxy.newProxyInstance(Proactor.class.getClassLoader(),
            new Class<?>[]{Proactor.class},
            (_, method, arguments) -> call(method, arguments));
    private long received;
    private int from;
    private int to;
    private boolean ended;
    /** The number of bytes that are accepted before a send fails; -1: none fails. */
    private int failsAfter = -1;
    /** The number of bytes that are accepted before sends are refused; -1: all. */
    private int room = -1;
    /** The handle whose socket has room again, which the next poll reports; -1: none. */
    private long writable = -1;
    private boolean reset;
    private final Set<Long> receiving = new HashSet<>();
    /** If not null, the peer accepts nothing more. */
    @Nullable ErrorCode sendError;
    /** Called by each send. */
    Runnable whenSending = () -> {};

    Proactor proactor() {
        return proactor;
    }

    /** Makes the next poll deliver bytes. */
    void receives(long handle, byte[] bytes, int start, int end) {
        received = handle;
        memory.clear().put(bytes, start, end - start);
        from = 0;
        to = end - start;
    }

    /** Makes the next poll deliver the end of the stream. */
    void ends(long handle) {
        received = handle;
        ended = true;
    }

    /** Returns whether a poll would deliver something. */
    boolean hasMore() {
        return to > from || ended;
    }

    /** Makes the next send fail after some of its bytes. */
    void failSendAfter(int bytes) {
        failsAfter = bytes;
    }

    /** Limits the bytes that sends accept from now on, until {@link #makeRoom}. */
    void acceptOnly(int bytes) {
        room = bytes;
    }

    /** Makes sends accept everything, and the next poll report that. */
    void makeRoom(long handle) {
        room = -1;
        writable = handle;
    }

    /** Returns whether the connection receives. */
    boolean isReceiving(long handle) {
        return receiving.contains(handle);
    }

    /** Returns whether the connection was reset. */
    boolean wasReset() {
        return reset;
    }

    /** Returns what was sent since the last call. */
    byte[] sent() {
        byte[] bytes = sent.toByteArray();
        sent.reset();
        return bytes;
    }

    private @Nullable Object call(Method method, Object[] arguments) throws IOException {
        return switch (method.getName()) {
            case "poll" -> poll((Completions) arguments[0]);
            case "sendNow", "send" -> send((ByteBuffer[]) arguments[1], (int) arguments[2], (int) arguments[3]);
            case "remoteAddress" -> new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 1);
            case "receive" -> {
                receiving.add((long) arguments[0]);
                yield null;
            }
            case "stopReceiving" -> {
                receiving.remove((long) arguments[0]);
                yield null;
            }
            case "reset" -> {
                reset = true;
                yield null;
            }
            case "toString" -> "FakeProactor";
            default -> zero(method.getReturnType());
        };
    }

    private int poll(Completions completions) {
        if (to > from) {
            int end = to;
            to = from;
            completions.received(received, memory.clear(), from, end);
            return 1;
        }
        if (ended) {
            ended = false;
            completions.inputEnded(received);
            return 1;
        }
        if (writable >= 0) {
            completions.sent(writable, 0);
            writable = -1;
            return 1;
        }
        return 0;
    }

    private long send(ByteBuffer[] parts, int first, int count) throws IOException {
        whenSending.run();
        if (sendError != null) {
            throw new NetworkException("send", null, sendError);
        }
        if (failsAfter >= 0) {
            byte[] bytes = new byte[failsAfter];
            failsAfter = -1;
            parts[first].get(bytes);
            sent.writeBytes(bytes);
            throw new IOException("no memory to watch the socket");
        }
        long sum = 0;
        for (int i = first; i < first + count; i++) {
            byte[] bytes = new byte[room < 0 ? parts[i].remaining() : Math.min(room, parts[i].remaining())];
            room -= room < 0 ? 0 : bytes.length;
            parts[i].get(bytes);
            sent.writeBytes(bytes);
            sum += bytes.length;
        }
        return sum;
    }

    private static @Nullable Object zero(Class<?> type) {
        if (type == int.class) {
            return 0;
        }
        if (type == long.class) {
            return 0L;
        }
        return type == boolean.class ? false : null;
    }
}
