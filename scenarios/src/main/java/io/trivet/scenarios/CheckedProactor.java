package io.trivet.scenarios;

import io.trivet.net.Completions;
import io.trivet.net.Interest;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.sim.SimEngine;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Wraps a loop's proactor. Records the traffic of each connection in an {@link ObservedSocket}, and checks that the server and
 * the wrapped proactor keep the contract.
 */
final class CheckedProactor implements Proactor {
    private static final long CLOSED_SOON_NANOS = 1_000_000;
    private static final long CLOSE_NANOS_MAX = 1_000_000_000;
    /** The server judges no deadline of a peer before this number of polls that leave it behind, or of their completions. */
    private static final int BEHIND_POLLS_MIN = 5;
    private static final int BEHIND_COMPLETIONS_MIN = 32;
    /** After fewer events than this, a poll has not reached its bound. */
    private static final int EVENTS_FEW = 200;

    private final RunContext context;
    private final ClientFraming framing;
    private final boolean isRing;
    private final CounterChecker counters;
    private final Admissions admissions;
    private final Proactor proactor;
    /** Only looked up, never iterated over: its order is undefined. */
    private final Map<Long, ObservedSocket> sockets = new HashMap<>();
    /** The latest handle of each slot. */
    private final Map<Integer, Long> handles = new HashMap<>();
    /** The latest socket of each remote address. Never iterated over either. */
    private final Map<InetSocketAddress, ObservedSocket> byAddress = new HashMap<>();
    private final CheckedCompletions checked = new CheckedCompletions();
    private final AcceptRetries acceptRetries;
    private final PendingSends pendingSends;
    /** True if the loop was woken since its last turn. */
    private boolean woken;
    /** The completions of the last poll. */
    private int completionCount;
    private long polls;
    private long completedPolls;
    /** The last polls in a row after which the proactor was behind, and their completions. */
    private int behindPolls;
    private int behindCompletions;
    private long allCompletions;

    CheckedProactor(RunContext context, ServerUnderTest server, Proactor proactor) {
        this.context = context;
        this.acceptRetries = new AcceptRetries(context, server.plan.listeners().count());
        this.pendingSends = new PendingSends(context);
        framing = server.plan.framing();
        isRing = server.plan.engine() == SimEngine.URING;
        counters = server.counters;
        admissions = server.admissions;
        this.proactor = proactor;
    }

    /** Returns the latest socket that was connected to an address, or has started to connect. */
    ObservedSocket socket(InetSocketAddress remote) {
        ObservedSocket socket = byAddress.get(remote);
        if (socket == null) {
            throw new IllegalStateException("no socket was connected to " + remote);
        }
        return socket;
    }

    // ---- calls of the server

    @Override
    public void accept(TcpListener listener, long token) throws IOException {
        try {
            proactor.accept(((ObservedListener) listener).listener(), token);
            admissions.startsAccepting();
        } catch (IOException e) {
            admissions.acceptFailed();
            throw e;
        }
    }

    @Override
    public void stopAccepting(TcpListener listener) throws IOException {
        admissions.stopsAccepting();
        proactor.stopAccepting(((ObservedListener) listener).listener());
    }

    @Override
    public long adopt(TcpStream stream) throws IOException {
        if (context.plantedBug == PlantedBug.RESET_AT_CLOSE) {
            stream.setOption(StandardSocketOptions.SO_LINGER, 0);
        }
        InetSocketAddress remote = stream.remoteAddress(); // afterwards the stream belongs to the proactor
        long handle;
        try {
            handle = proactor.adopt(stream);
        } catch (IOException e) {
            admissions.adoptFailed(remote);
            throw e;
        }
        return begin(handle, remote);
    }

    @Override
    public long connect(InetSocketAddress address) throws IOException {
        return begin(proactor.connect(address), address);
    }

    private long begin(long handle, InetSocketAddress remote) {
        context.operations++;
        context.progress++;
        ObservedSocket socket = new ObservedSocket(remote, context.now());
        byAddress.put(remote, socket);
        if (sockets.put(handle, socket) != null) {
            violation("the handle " + handle + " is in use twice");
        }
        Long before = handles.put(Proactor.slot(handle), handle);
        if (before != null && before == handle) {
            violation("the slot of a closed connection is used again with the same handle, " + handle);
        }
        return handle;
    }

    @Override
    public void receive(long handle) throws IOException {
        context.operations++;
        proactor.receive(handle);
        ObservedSocket socket = sockets.get(handle);
        if (socket != null) {
            if (!socket.receiving && socket.stoppedNanos == context.now()) {
                context.tally.add("race", Race.RECEIVING_RESUMED_AT_ONCE);
            }
            socket.receiving = true;
            socket.receivingSinceNanos = context.now();
        }
    }

    @Override
    public void stopReceiving(long handle) throws IOException {
        context.operations++;
        proactor.stopReceiving(handle);
        ObservedSocket socket = sockets.get(handle);
        if (socket != null) {
            socket.receiving = false;
            socket.stoppedNanos = context.now();
        }
    }

    @Override
    public void watchUrgent(long handle) throws IOException {
        proactor.watchUrgent(handle);
    }

    @Override
    public <T> void setOption(long handle, SocketOption<T> option, T value) throws IOException {
        proactor.setOption(handle, option, value);
    }

    @Override
    public <T> T getOption(long handle, SocketOption<T> option) throws IOException {
        return proactor.getOption(handle, option);
    }

    @Override
    public boolean sendUrgent(long handle, byte b) throws IOException {
        context.operations++;
        ObservedSocket socket = sockets.get(handle);
        if (socket != null) {
            socket.urgentsOut++;
        }
        return proactor.sendUrgent(handle, b);
    }

    @Override
    public long send(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        return send(handle, parts, from, count, false);
    }

    @Override
    public long sendNow(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        return send(handle, parts, from, count, true);
    }

    private long send(long handle, ByteBuffer[] parts, int from, int count, boolean atOnce) throws IOException {
        context.operations++;
        ObservedSocket socket = sockets.get(handle);
        if (socket == null || socket.closed) {
            violation("a send on a closed connection");
            return proactor.send(handle, parts, from, count);
        }
        if (socket.hasPendingSend() || socket.awaitsWritable) {
            violation("a send before the previous one has completed");
        }
        long offered = ObservedSocket.remaining(parts, from, count);
        long accepted = atOnce ? proactor.sendNow(handle, parts, from, count) : proactor.send(handle, parts, from, count);
        if (accepted == PENDING && atOnce) {
            violation("sendNow has returned PENDING");
        }
        if (accepted == PENDING) {
            context.tally.add("race", Race.SEND_PENDING);
            pendingSends.started(socket, offered);
            return accepted;
        }
        if (accepted > offered) {
            violation("a send accepted " + accepted + " of " + offered + " bytes");
        }
        socket.awaitsWritable = accepted < offered;
        if (accepted > 0) {
            context.progress++;
            counters.bytesOut += accepted;
            socket.servedOut += accepted;
            socket.sent(accepted, context.now());
            socket.acceptedInPoll = polls;
            socket.unsentBefore = Long.MAX_VALUE;
        }
        return accepted;
    }

    /**
     * Returns the number of unsent bytes, and checks it. If it is above 0, the server waits for a completion from now on, as
     * after a partial send. After each completion, fewer bytes must be unsent.
     */
    @Override
    public long unsentBytes(long handle) {
        long unsent = proactor.unsentBytes(handle);
        ObservedSocket socket = sockets.get(handle);
        if (unsent == 0 || socket == null) {
            return unsent;
        }
        if (socket.closed || unsent < 0 || unsent > socket.bytesOut || unsent >= socket.unsentBefore) {
            violation(unsent + " bytes are reported as unsent, of " + socket.bytesOut + " accepted"
                    + (socket.closed ? ", after the close"
                            : unsent >= socket.unsentBefore ? ", although a completion reported progress" : ""));
        }
        if (socket.hasPendingSend()) {
            violation("a send is pending behind unsent bytes");
        }
        if (!socket.wasRefused && socket.acceptedInPoll < polls) { // it was handed to the kernel in the meantime
            socket.wasRefused = true;
            context.tally.add("race", Race.ACCEPTED_THEN_REFUSED);
        }
        if (socket.unsentBefore != Long.MAX_VALUE) {
            context.tally.add("race", Race.UNSENT_SENT_IN_STEPS);
        }
        if (!socket.awaitsWritable) {
            context.tally.add("race", Race.ENDED_WHILE_UNSENT);
            socket.endWaitsSinceNanos = socket.endWaitsSinceNanos < 0 ? context.now() : socket.endWaitsSinceNanos;
        } else if (socket.unsentBytes == 0 && socket.unsentBefore == Long.MAX_VALUE) {
            context.tally.add("race", Race.SEND_AFTER_UNSENT);
        }
        socket.awaitsWritable = true;
        socket.unsentBytes = unsent;
        return unsent;
    }

    @Override
    public void shutdownOutput(long handle) throws IOException {
        context.operations++;
        proactor.shutdownOutput(handle);
        ObservedSocket socket = sockets.get(handle);
        if (socket != null) {
            socket.outputEnded = true;
            socket.outputEndedNanos = context.now();
        }
    }

    @Override
    public void close(long handle) {
        noteClose(handle);
        proactor.close(handle);
    }

    @Override
    public void reset(long handle) {
        noteClose(handle);
        proactor.reset(handle);
    }

    @Override
    public long keptBytes() {
        return proactor.keptBytes();
    }

    @Override
    public long keptBytes(long handle) {
        return proactor.keptBytes(handle);
    }

    @Override
    public long bufferBytes() {
        return proactor.bufferBytes();
    }

    @Override
    public boolean isBehind() {
        return proactor.isBehind();
    }

    private void noteClose(long handle) {
        context.operations++;
        ObservedSocket socket = sockets.get(handle);
        if (socket != null) {
            socket.closed = true;
            socket.closedNanos = context.now();
            if (socket.receiving) {
                context.tally.add("race", Race.CLOSED_WHILE_RECEIVING);
            }
            if (socket.hasPendingSend()) {
                context.tally.add("race", Race.CLOSED_WHILE_SENDING);
            }
            socket.unsentAtClose = proactor.unsentBytes(handle); // harmless: after a close no completion depends on this call
            if (socket.unsentAtClose > 0) {
                context.tally.add("race", Race.CLOSED_WHILE_UNSENT);
            }
        }
    }

    @Override
    public InetSocketAddress remoteAddress(long handle) {
        return proactor.remoteAddress(handle);
    }

    @Override
    public InetSocketAddress localAddress(long handle) {
        return proactor.localAddress(handle);
    }

    @Override
    public int interest(long handle) {
        int interest = proactor.interest(handle);
        ObservedSocket socket = sockets.get(handle);
        if (socket != null) {
            socket.isWatchedForOutput = (interest & Interest.WRITE) != 0;
        }
        return interest;
    }

    @Override
    public int poll(Completions completions, long timeoutNanos) throws IOException {
        checked.completions = completions;
        checked.delivered = 0;
        checked.filledBuffer = false;
        completionCount = 0;
        polls++;
        completionCount = proactor.poll(checked, timeoutNanos);
        if (completionCount != checked.delivered) {
            violation("a poll returns " + completionCount + " completions, and has delivered " + checked.delivered);
        }
        completedPolls++;
        boolean behind = proactor.isBehind();
        checkBehind(behind);
        behindPolls = behind ? behindPolls + 1 : 0;
        behindCompletions = behind ? behindCompletions + completionCount : 0;
        allCompletions += completionCount;
        return completionCount;
    }

    /**
     * A proactor on readiness is behind after a read that has filled its buffer, or many events; and never otherwise, because then
     * deadlines would be judged late.
     */
    private void checkBehind(boolean behind) {
        if (isRing) {
            return;
        }
        if (checked.filledBuffer && !behind) {
            violation("a receive has filled the buffer, and the proactor is not behind");
        }
        if (behind && !checked.filledBuffer && sockets.size() + checked.delivered < EVENTS_FEW) {
            violation("the proactor is behind after " + checked.delivered + " completions of " + sockets.size()
                    + " connections, none of which has filled the buffer");
        }
    }

    @Override
    public void wakeup() {
        woken = true;
        proactor.wakeup();
    }

    /** Wakes the loop because its thread is awake anyway. It does not count as the server's wakeup. */
    void wakeSilently() {
        proactor.wakeup();
    }

    /** Returns when a send was pending last; the current time if one is. */
    long lastPendingNanos() {
        return pendingSends.lastNanos();
    }

    /** Returns true if the loop was woken since the last call. */
    boolean takeWakeup() {
        boolean before = woken;
        woken = false;
        return before;
    }

    /** Returns true if a connection was closed more than a second ago, and its close has not completed. */
    boolean anyCloseOverdue() {
        return sockets.values().stream() // in any order
                .anyMatch(socket -> socket.closed && context.now() - socket.closedNanos > CLOSE_NANOS_MAX);
    }

    long completedPolls() {
        return completedPolls;
    }

    /** Returns the number of completions of all polls. */
    long completions() {
        return allCompletions;
    }

    /**
     * Returns true if the proactor may know of more that has arrived, and the server cannot have lost its patience yet: the longest
     * time for which it puts off its judgement of peers is not over.
     */
    boolean mustNotJudge() {
        return behindPolls > 0 && behindPolls <= BEHIND_POLLS_MIN && behindCompletions < BEHIND_COMPLETIONS_MIN;
    }

    /** Returns the number of completions of the last poll. */
    int completionCount() {
        return completionCount;
    }

    @Override
    public void close() throws IOException {
        proactor.close();
    }

    private void violation(String how) {
        context.failures.report(Rule.COMPLETIONS, how);
    }

    // ---- completions

    private final class CheckedCompletions implements Completions {
        @Nullable Completions completions;
        /** The completions of the current poll. */
        int delivered;
        /** True if a receive in the current poll has filled the proactor's buffer. */
        boolean filledBuffer;

        private Completions server() {
            return Objects.requireNonNull(completions);
        }

        /**
         * Returns the open socket of a completion. Reports a failure and returns null if the connection is closed: then only
         * {@code closed} may follow.
         */
        private @Nullable ObservedSocket open(long handle, String what) {
            ObservedSocket socket = sockets.get(handle);
            if (socket == null || socket.closed) {
                violation(what + " completes for a closed connection");
                return null;
            }
            return socket;
        }

        @Override
        public void accepted(long token, TcpStream stream) {
            delivered++;
            context.operations++;
            context.progress++;
            counters.accepted++;
            admissions.accepted(stream, () -> server().accepted(token, stream));
        }

        @Override
        public void acceptFailed(long token, IOException failure) {
            delivered++;
            context.operations++;
            acceptRetries.failed(failure);
            counters.acceptFailures++;
            admissions.acceptFailed();
            server().acceptFailed(token, failure);
        }

        @Override
        public void connected(long handle) {
            delivered++;
            context.operations++;
            context.progress++;
            ObservedSocket socket = open(handle, "a connect");
            if (socket != null) {
                socket.connected(context.now());
            }
            server().connected(handle);
        }

        @Override
        public void received(long handle, ByteBuffer memory, int from, int to) {
            delivered++;
            context.operations++;
            context.progress++;
            filledBuffer |= to - from == proactor.bufferBytes();
            ObservedSocket socket = open(handle, "a receive");
            if (socket != null) {
                if (socket.inputEnded || from >= to) {
                    violation("a receive after the end of the input, or an empty one: " + from + " to " + to);
                }
                if (!socket.receiving) {
                    context.tally.add("race", Race.RECEIVED_AFTER_STOP);
                }
                if (socket.hasPendingSend()) {
                    context.tally.add("race", Race.RECEIVED_WHILE_SENDING);
                }
                socket.bytesIn += to - from;
                if (socket.isServed()) {
                    counters.bytesIn += to - from;
                    socket.servedIn += to - from;
                }
                context.bytesReceived += to - from;
                socket.receivedNanos = context.now();
                socket.ordinaryIn += context.sendsUrgent ? framing.ordinaryBytes(memory, from, to) : to - from;
                socket.active(context.now());
            }
            server().received(handle, memory, from, to);
        }

        @Override
        public void urgent(long handle, byte b) {
            delivered++;
            context.operations++;
            context.progress++;
            ObservedSocket socket = open(handle, "an urgent byte");
            if (socket != null) {
                socket.active(context.now());
            }
            server().urgent(handle, b);
        }

        @Override
        public void inputEnded(long handle) {
            delivered++;
            context.operations++;
            context.progress++;
            ObservedSocket socket = open(handle, "the end of the input");
            if (socket != null) {
                if (socket.inputEnded) {
                    violation("the end of the input completes twice");
                }
                if (!socket.receiving) {
                    context.tally.add("race", Race.END_AFTER_STOP);
                }
                socket.inputEnded = true;
            }
            server().inputEnded(handle);
        }

        @Override
        public void sent(long handle, long bytes) {
            delivered++;
            context.operations++;
            ObservedSocket socket = open(handle, "a send");
            if (socket != null) {
                if (bytes > socket.pendingBytes) {
                    violation("a send of " + socket.pendingBytes + " bytes completes with " + bytes);
                }
                if (!socket.hasPendingSend() && !socket.awaitsWritable) {
                    violation("a writable completion that the connection does not wait for");
                }
                socket.awaitsWritable = bytes < socket.pendingBytes;
                pendingSends.completed(socket);
                if (bytes > 0) {
                    context.progress++;
                    if (socket.isServed()) {
                        counters.bytesOut += bytes;
                        socket.servedOut += bytes;
                    }
                    socket.sent(bytes, context.now());
                } else if (socket.unsentBytes > 0) {
                    context.progress++;
                    socket.unsentWasSent(context.now());
                }
            }
            server().sent(handle, bytes);
        }

        @Override
        public void failed(long handle, IOException failure) {
            delivered++;
            context.operations++;
            context.progress++;
            ObservedSocket socket = open(handle, "a failure");
            if (socket != null && socket.hasPendingSend()) {
                context.tally.add("race", Race.FAILED_WHILE_SENDING);
            }
            server().failed(handle, failure);
        }

        @Override
        public void spinning(long handle, String description) {
            context.failures.report(Rule.SPIN, description);
            server().spinning(handle, description);
        }

        @Override
        public void closed(long handle) {
            delivered++;
            context.progress++;
            ObservedSocket socket = sockets.remove(handle);
            if (socket != null && context.now() - socket.closedNanos > CLOSED_SOON_NANOS) {
                context.tally.add("race", Race.CLOSED_LATE);
            }
            if (socket != null) {
                pendingSends.completed(socket);
                byAddress.remove(socket.remote, socket);
            }
            if (socket == null || !socket.closed) {
                violation("closed() for a connection that was not closed, or a second time");
            }
            server().closed(handle);
        }
    }
}
