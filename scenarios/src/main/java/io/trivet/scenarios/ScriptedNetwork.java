package io.trivet.scenarios;

import io.trivet.net.Capability;
import io.trivet.net.Clock;
import io.trivet.net.Descriptor;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Registration;
import io.trivet.net.Socket;
import io.trivet.net.Splicing;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A network without a kernel: the outcome of each call of its sockets, its poller and its pipes is drawn, and each call is logged.
 * Two runs with the same seed see the same outcomes as long as they make the same calls.
 */
final class ScriptedNetwork implements Network {
    /** Implements {@link Network#selectOnce}. */
    interface SelectOnce {
        int select(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException;
    }

    private static final int LOG_LINES_MAX = 200_000;

    final SeededRandom random;
    final List<String> log = new ArrayList<>();
    /** True while calls without an effect are not logged. */
    boolean isQuiet;
    Object family = this;
    /** Null: this network does not select. */
    @Nullable SelectOnce selectOnce;
    /** The network for a single call; null: this one. */
    @Nullable ScriptedNetwork oneCall;
    private final boolean hasUrgent;
    private final boolean hasSplicing;
    private int failures;
    private int opened;
    private final ScriptedPoller poller = new ScriptedPoller();

    ScriptedNetwork(SeededRandom random) {
        this.random = random;
        hasUrgent = random.chance(80);
        hasSplicing = random.chance(60);
    }

    void log(String event) {
        if (log.size() >= LOG_LINES_MAX) {
            throw new IllegalStateException("the proactor makes calls without an end");
        }
        log.add(event);
    }

    /** Logs an event, unless {@link #isQuiet}. */
    void logUnlessQuiet(String event) {
        if (!isQuiet) {
            log(event);
        }
    }

    /** Returns a failure that differs from all others. */
    NetworkException failure(String call) {
        failures++;
        return new NetworkException(call, null, random.pick(ErrorCode.ECONNRESET, ErrorCode.ENOMEM, ErrorCode.EPIPE),
                "failure " + failures);
    }

    void maybeFail(String call, int percent) throws NetworkException {
        if (random.chance(percent)) {
            NetworkException failure = failure(call);
            log(call + " fails");
            throw failure;
        }
    }

    /** Returns a new stream that is connected, or is going to be. */
    ScriptedStream stream() {
        return new ScriptedStream(this, opened++, random.chance(20));
    }

    ScriptedPoller scriptedPoller() {
        return poller;
    }

    /** Returns the stream that is registered with a token; null: none. */
    @Nullable
    Socket streamOf(long token) {
        for (Registration each : poller.registered.values()) {
            if (each.token() == token) {
                return each.socket();
            }
        }
        return null;
    }

    /** A poller that reports what the trial sets. */
    final class ScriptedPoller implements Poller {
        private final Map<Socket, Registration> registered = new LinkedHashMap<>();
        private long[] nextTokens = new long[0];
        private int[] nextEvents = new int[0];

        /** Sets what the next poll reports. */
        void reportNext(long[] tokens, int[] events) {
            nextTokens = tokens;
            nextEvents = events;
        }

        @Override
        public void register(Socket socket, int interest, long token) throws IOException {
            maybeFail("register " + socket, 4);
            log("register " + socket + " " + interest + (token < 0 ? " as a listener" : ""));
            if (registered.put(socket, new Registration(socket, interest, token)) != null) {
                throw new IllegalArgumentException(socket + " is registered already");
            }
        }

        @Override
        public void modify(Socket socket, int interest, long token) throws IOException {
            Registration known = registered.get(socket);
            if (known == null) {
                throw new IllegalArgumentException(socket + " is not registered");
            }
            if (known.token() != token) {
                log("the token of " + socket + " changes");
            }
            if (random.chance(3)) {
                registered.remove(socket);
            }
            log("modify " + socket + " " + interest);
            if (!registered.containsKey(socket)) {
                throw failure("modify");
            }
            registered.put(socket, new Registration(socket, interest, token));
        }

        @Override
        public void deregister(Socket socket) throws IOException {
            log("deregister " + socket);
            if (registered.remove(socket) == null) {
                throw new IllegalArgumentException(socket + " is not registered");
            }
            maybeFail("deregister", 5);
        }

        @Override
        public @Nullable Registration registration(Socket socket) {
            return registered.get(socket);
        }

        @Override
        public int poll(ReadyEvents out, long timeoutNanos) throws IOException {
            logUnlessQuiet("poll for " + timeoutNanos + " ns, up to " + out.capacity() + " events");
            out.clear();
            for (int i = 0; i < nextTokens.length && !out.isFull(); i++) {
                out.add(nextTokens[i], nextEvents[i]);
            }
            nextTokens = new long[0];
            return out.size();
        }

        @Override
        public void wakeup() {
            log("wakeup");
        }

        @Override
        public void close() throws IOException {
            log("close the poller");
        }
    }

    /** Pipes that hold what is drawn. */
    private final class ScriptedPipes implements Splicing {
        @Override
        public int fill(TcpStream from, long target, int count) throws IOException {
            maybeFail("fill", 10);
            int filled = random.between(0, count);
            log("fill from " + from + " up to " + count + ": " + filled);
            return filled;
        }

        @Override
        public int drain(long target, TcpStream to, int count) throws IOException {
            maybeFail("drain", 10);
            int drained = random.chance(50) ? count : random.between(0, count);
            log("drain to " + to + " " + count + ": " + drained);
            return drained;
        }

        @Override
        public void drop(long target) {
            log("drop what is in the pipe");
        }

        @Override
        public void close() {
            log("close the pipes");
        }
    }

    /** A listener with a number of clients that wait. */
    final class ScriptedListener extends ScriptedSocket implements TcpListener {
        private int waiting;

        ScriptedListener(String name, int fd) {
            super(ScriptedNetwork.this, name, fd);
        }

        void clientsArrive(int count) {
            waiting += count;
        }

        @Override
        public @Nullable TcpStream accept() throws IOException {
            maybeFail("accept", 2);
            if (waiting == 0) {
                log("accept none");
                return null;
            }
            waiting--;
            log("accept");
            return stream();
        }

        @Override
        public InetSocketAddress localAddress() {
            return new InetSocketAddress("10.0.0.1", 1);
        }
    }

    private final class ScriptedDescriptor extends ScriptedSocket implements Descriptor {
        ScriptedDescriptor(int fd) {
            super(ScriptedNetwork.this, "descriptor " + fd, fd);
        }

        @Override
        public int read(ByteBuffer buffer) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int write(ByteBuffer buffer) {
            throw new UnsupportedOperationException();
        }
    }

    // ---- Network

    @Override
    public String name() {
        return "scripted";
    }

    @Override
    public Object family() {
        return family;
    }

    @Override
    public Network forOneCall() {
        return oneCall == null ? this : oneCall;
    }

    @Override
    public int selectOnce(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        if (selectOnce == null) {
            throw new IllegalStateException("this network is not meant");
        }
        return selectOnce.select(sockets, interests, count, timeoutNanos);
    }

    @Override
    public boolean supports(Capability capability) {
        return switch (capability) {
            case URGENT_DATA -> hasUrgent;
            case DESCRIPTORS -> true;
            case REGULAR_FILES, KEEP_ALIVE_OPTIONS, INHERITED_OPTIONS -> false;
        };
    }

    @Override
    public Clock clock() {
        return () -> 0;
    }

    @Override
    public TcpListener listen(InetSocketAddress address, int backlog) throws IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public TcpStream connect(InetSocketAddress address) throws IOException {
        return connect(address, null);
    }

    @Override
    public TcpStream connect(InetSocketAddress address, @Nullable InetSocketAddress local) throws IOException {
        maybeFail("connect", 10);
        ScriptedStream stream = stream();
        log("connect " + stream + " to " + address + " from " + local);
        return stream;
    }

    @Override
    public UdpSocket udp(@Nullable InetSocketAddress address) throws IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public Pipe pipe() throws IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public Descriptor descriptor(int fd) {
        return new ScriptedDescriptor(fd);
    }

    @Override
    public @Nullable Splicing splicing() {
        return hasSplicing ? new ScriptedPipes() : null;
    }

    @Override
    public Poller poller() {
        return poller;
    }
}
