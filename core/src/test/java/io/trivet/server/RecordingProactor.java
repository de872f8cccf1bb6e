package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Completions;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A proactor without sockets. It records the calls that it gets, and the test dictates the results of sends, the calls that fail,
 * and the completions of a poll. Without further instructions every send takes all bytes at once. One thread, except
 * {@link #wakeup}.
 */
final class RecordingProactor implements Proactor {
    static final InetSocketAddress LOCAL = new InetSocketAddress(InetAddress.ofLiteral("10.0.0.9"), 80);
    static final InetSocketAddress REMOTE = new InetSocketAddress(InetAddress.ofLiteral("10.0.0.1"), 1000);

    private static final int TEXT_MAX = 40;

    /** The calls so far, except wake-ups, in order: the name, the handle, and the bytes of a send. */
    final List<String> calls = new ArrayList<>();
    /** The addresses of all connects, in order. */
    final List<InetSocketAddress> connects = new ArrayList<>();
    /** The result of {@link #unsentBytes}. */
    long unsentBytes;

    private final Map<Long, Long> kept = new HashMap<>();

    private final Map<Long, Connected> open = new TreeMap<>();
    private final Map<Long, StringBuilder> taken = new TreeMap<>();
    private final Deque<Long> sendResults = new ArrayDeque<>();
    private final Map<String, ErrorCode> failures = new TreeMap<>();
    private final Deque<Consumer<Completions>> completions = new ArrayDeque<>();
    private final AtomicInteger wakeups = new AtomicInteger();
    /** What {@link #isBehind} returns. */
    boolean behind;
    private long nextHandle;

    private static final class Connected {
        boolean receiving;
        boolean watchingUrgent;
        /** Views of the bytes of a pending send. */
        List<ByteBuffer> pending = List.of();
    }

    // ---- what the test dictates

    /** Opens a connection, which is not recorded, and returns its handle: 0, 1, 2 and so on. */
    long open() {
        open.put(nextHandle, new Connected());
        return nextHandle++;
    }

    /** Dictates the results of the next sends: the number of bytes that are taken, or {@link #PENDING}. */
    void nextSends(long... results) {
        for (long result : results) {
            sendResults.addLast(result);
        }
    }

    /** Makes the next call of that name fail. */
    void failNext(String call, ErrorCode code) {
        failures.put(call, code);
    }

    /** Adds a completion to those that the next poll delivers. */
    void onPoll(Consumer<Completions> completion) {
        completions.addLast(completion);
    }

    /**
     * Takes the first bytes of a pending send from the caller's memory, and returns their number, which the caller is then to be
     * notified of.
     */
    long take(long handle, int bytes) {
        Connected connection = open.get(handle);
        assertThat(connection.pending).as("a pending send").isNotEmpty();
        take(handle, connection.pending, bytes);
        connection.pending = List.of();
        return bytes;
    }

    // ---- what the test asks

    /** Returns the bytes that were taken from a connection, in order. */
    String taken(long handle) {
        return taken.getOrDefault(handle, new StringBuilder()).toString();
    }

    /** Returns the calls since the last time that this was called. */
    List<String> newCalls() {
        List<String> copy = List.copyOf(calls);
        calls.clear();
        return copy;
    }

    /** Returns how many times the proactor was woken. Any thread. */
    int wakeups() {
        return wakeups.get();
    }

    // ---- the proactor

    @Override
    public void accept(TcpListener listener, long token) throws IOException {
        called("accept", Long.toString(token));
    }

    @Override
    public void stopAccepting(TcpListener listener) throws IOException {
        called("stopAccepting", "");
    }

    @Override
    public long adopt(TcpStream stream) throws IOException {
        called("adopt", Long.toString(nextHandle));
        return open();
    }

    @Override
    public long connect(InetSocketAddress address) throws IOException {
        connects.add(address);
        called("connect", Long.toString(nextHandle));
        return open();
    }

    @Override
    public void receive(long handle) throws IOException {
        called("receive", Long.toString(handle));
        open.get(handle).receiving = true;
    }

    @Override
    public void stopReceiving(long handle) throws IOException {
        called("stopReceiving", Long.toString(handle));
        open.get(handle).receiving = false;
    }

    @Override
    public void watchUrgent(long handle) throws IOException {
        called("watchUrgent", Long.toString(handle));
        open.get(handle).watchingUrgent = true;
    }

    @Override
    public boolean sendUrgent(long handle, byte b) throws IOException {
        called("sendUrgent", handle + " " + (char) b);
        return true;
    }

    @Override
    public long send(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        return send("send", handle, Arrays.asList(parts).subList(from, from + count));
    }

    @Override
    public long sendNow(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        return send("sendNow", handle, Arrays.asList(parts).subList(from, from + count));
    }

    private long send(String call, long handle, List<ByteBuffer> parts) throws IOException {
        assertThat(parts).allMatch(ByteBuffer::isDirect);
        int bytes = parts.stream().mapToInt(ByteBuffer::remaining).sum();
        StringBuilder text = new StringBuilder();
        parts.forEach(part -> text.append(StandardCharsets.ISO_8859_1.decode(part.duplicate())));
        called(call, handle + " " + (bytes <= TEXT_MAX ? text : bytes + " bytes"));
        assertThat(open.get(handle).pending).as("sends that are pending already").isEmpty();
        long result = sendResults.isEmpty() ? bytes : sendResults.removeFirst();
        if (result == PENDING) {
            open.get(handle).pending = parts.stream().map(ByteBuffer::duplicate).toList();
        } else {
            take(handle, parts, (int) result);
        }
        return result;
    }

    private void take(long handle, List<ByteBuffer> parts, int bytes) {
        StringBuilder text = taken.computeIfAbsent(handle, key -> new StringBuilder());
        int left = bytes;
        for (ByteBuffer part : parts) {
            int length = Math.min(left, part.remaining());
            text.append(StandardCharsets.ISO_8859_1.decode(part.slice(part.position(), length)));
            part.position(part.position() + length);
            left -= length;
        }
        assertThat(left).as("bytes to be taken that were not offered").isZero();
    }

    /** Sets the result of {@link #keptBytes(long)}. */
    void keep(long handle, long bytes) {
        kept.put(handle, bytes);
    }

    @Override
    public boolean isBehind() {
        return behind;
    }

    @Override
    public long keptBytes() {
        return kept.values().stream().mapToLong(Long::longValue).sum();
    }

    @Override
    public long keptBytes(long handle) {
        return kept.getOrDefault(handle, 0L);
    }

    @Override
    public long unsentBytes(long handle) {
        return unsentBytes;
    }

    @Override
    public void shutdownOutput(long handle) throws IOException {
        called("shutdownOutput", Long.toString(handle));
    }

    @Override
    public void close(long handle) {
        calls.add("close " + handle);
        open.remove(handle);
    }

    @Override
    public void reset(long handle) {
        calls.add("reset " + handle);
        open.remove(handle);
    }

    @Override
    public InetSocketAddress remoteAddress(long handle) {
        return ifOpen(handle, REMOTE);
    }

    @Override
    public InetSocketAddress localAddress(long handle) {
        return ifOpen(handle, LOCAL);
    }

    private InetSocketAddress ifOpen(long handle, InetSocketAddress address) {
        if (!open.containsKey(handle)) {
            throw new IllegalArgumentException("stale handle " + handle);
        }
        return address;
    }

    @Override
    public int interest(long handle) {
        Connected connection = open.get(handle);
        return connection == null ? 0
                : (connection.receiving ? Interest.READ : 0)
                        | (connection.pending.isEmpty() && keptBytes(handle) == 0 ? 0 : Interest.WRITE)
                        | (connection.watchingUrgent ? Interest.PRIORITY : 0);
    }

    @Override
    public int poll(Completions receiver, long timeoutNanos) throws IOException {
        called("poll", Long.toString(timeoutNanos));
        int count = completions.size();
        for (int i = 0; i < count; i++) {
            completions.removeFirst().accept(receiver);
        }
        return count;
    }

    @Override
    public void wakeup() {
        wakeups.incrementAndGet();
    }

    @Override
    public void close() throws IOException {
        called("close", "the proactor");
    }

    private void called(String call, String arguments) throws IOException {
        calls.add(arguments.isEmpty() ? call : call + " " + arguments);
        ErrorCode code = failures.remove(call);
        if (code != null) {
            throw new NetworkException(call, null, code);
        }
    }
}
