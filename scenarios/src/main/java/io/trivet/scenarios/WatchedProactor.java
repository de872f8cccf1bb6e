package io.trivet.scenarios;

import io.trivet.net.Completions;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A loop's proactor, with a {@link Wire} for each connection that notes what goes through, and holds both sides to their contract. */
final class WatchedProactor implements Proactor {
    private static final long GONE_SOON_NANOS = 1_000_000;
    /** So many accepts may fail in a while: whoever accepts must then wait, since the next would fail as well. */
    private static final int ACCEPT_FAILURES_MAX = 4;

    private static final long ACCEPT_FAILURES_NANOS = 10_000_000;

    private final Scene scene;
    private final Frames frames;
    private final Proactor proactor;
    /** Looked up, never gone through. */
    private final Map<Long, Wire> wires = new HashMap<>();
    private final Told told = new Told();
    private int acceptFailures;
    private long acceptFailuresSinceNanos;
    /** How many sends are pending, and when there last was one: as long as these hold all buffers of a ring, nothing is received. */
    private int lent;

    private long lentNanos;
    /** Since the last turn. */
    private boolean woken;
    /** By the last poll. */
    private int toldCount;
    private long polls;

    WatchedProactor(Scene scene, Frames frames, Proactor proactor) {
        this.scene = scene;
        this.frames = frames;
        this.proactor = proactor;
    }

    Wire wire(long handle) {
        Wire wire = wires.get(handle);
        if (wire == null) {
            throw new IllegalStateException("no connection has the handle " + handle);
        }
        return wire;
    }

    // ---- what the server asks for

    @Override
    public void accept(TcpListener listener, long token) throws IOException {
        proactor.accept(listener, token);
    }

    @Override
    public void stopAccepting(TcpListener listener) throws IOException {
        proactor.stopAccepting(listener);
    }

    @Override
    public long adopt(TcpStream stream) throws IOException {
        if (scene.planted == Planted.RESET_AT_CLOSE) {
            stream.setOption(StandardSocketOptions.SO_LINGER, 0);
        }
        return begin(proactor.adopt(stream));
    }

    @Override
    public long connect(InetSocketAddress address) throws IOException {
        return begin(proactor.connect(address));
    }

    private long begin(long handle) {
        scene.operations++;
        scene.progress++;
        if (wires.put(handle, new Wire(scene.now())) != null) {
            broken("the handle " + handle + " is given a second time");
        }
        return handle;
    }

    @Override
    public void receive(long handle) throws IOException {
        scene.operations++;
        proactor.receive(handle);
        Wire wire = wires.get(handle);
        if (wire != null) {
            if (!wire.receiving && wire.stoppedNanos == scene.now()) {
                scene.tally.add("race", Race.RECEIVING_ANEW);
            }
            wire.receiving = true;
            wire.receivingSinceNanos = scene.now();
        }
    }

    @Override
    public void stopReceiving(long handle) throws IOException {
        scene.operations++;
        proactor.stopReceiving(handle);
        Wire wire = wires.get(handle);
        if (wire != null) {
            wire.receiving = false;
            wire.stoppedNanos = scene.now();
        }
    }

    @Override
    public void watchUrgent(long handle) throws IOException {
        proactor.watchUrgent(handle);
    }

    @Override
    public boolean sendUrgent(long handle, byte b) throws IOException {
        scene.operations++;
        Wire wire = wires.get(handle);
        if (wire != null) {
            wire.urgentsOut++;
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
        scene.operations++;
        Wire wire = wires.get(handle);
        if (wire == null || wire.closed) {
            broken("something is sent to a connection that is closed");
            return proactor.send(handle, parts, from, count);
        }
        if (wire.hasLent() || wire.awaitsRoom) {
            broken("something is sent before the one before it was told to be over");
        }
        long offered = Wire.bytes(parts, from, count);
        long taken = atOnce ? proactor.sendNow(handle, parts, from, count) : proactor.send(handle, parts, from, count);
        if (taken == PENDING && atOnce) {
            broken("a send that must not be pending is");
        }
        if (taken == PENDING) {
            scene.tally.add("race", Race.SEND_PENDING);
            wire.lentBytes = offered;
            lent++;
            return taken;
        }
        if (taken > offered) {
            broken("a send took " + taken + " of " + offered + " bytes");
        }
        wire.awaitsRoom = taken < offered;
        if (taken > 0) {
            scene.progress++;
            wire.took(taken, scene.now());
            wire.takenPolls = polls;
            wire.unsentBefore = Long.MAX_VALUE;
        }
        return taken;
    }

    /** Who is told of some waits from then on, as after a send that was not taken whole; each time that some has left, less is left. */
    @Override
    public long unsentBytes(long handle) {
        long unsent = proactor.unsentBytes(handle);
        Wire wire = wires.get(handle);
        if (unsent == 0 || wire == null) {
            return unsent;
        }
        if (wire.closed || unsent < 0 || unsent > wire.bytesOut || unsent >= wire.unsentBefore) {
            broken(unsent + " bytes are said not to have left, of " + wire.bytesOut + " that were taken"
                    + (wire.closed ? ", after the close" : unsent >= wire.unsentBefore ? ", and some were told to have" : ""));
        }
        if (wire.hasLent()) {
            broken("something is pending behind what has not left");
        }
        if (!wire.isTight && wire.takenPolls < polls) { // it has been handed over since
            wire.isTight = true;
            scene.tally.add("race", Race.SILENT_REFUSED);
        }
        if (wire.unsentBefore != Long.MAX_VALUE) {
            scene.tally.add("race", Race.UNSENT_IN_STEPS);
        }
        if (!wire.awaitsRoom) {
            scene.tally.add("race", Race.ENDED_WHILE_UNSENT);
            wire.endWaitsSinceNanos = wire.endWaitsSinceNanos < 0 ? scene.now() : wire.endWaitsSinceNanos;
        } else if (wire.unsentBytes == 0 && wire.unsentBefore == Long.MAX_VALUE) {
            scene.tally.add("race", Race.SENT_BEHIND_UNSENT);
        }
        wire.awaitsRoom = true;
        wire.unsentBytes = unsent;
        return unsent;
    }

    @Override
    public void shutdownOutput(long handle) throws IOException {
        scene.operations++;
        proactor.shutdownOutput(handle);
        Wire wire = wires.get(handle);
        if (wire != null) {
            wire.outputEnded = true;
        }
    }

    @Override
    public void close(long handle) {
        scene.operations++;
        Wire wire = wires.get(handle);
        if (wire != null) {
            wire.closed = true;
            wire.closedNanos = scene.now();
            if (wire.receiving) {
                scene.tally.add("race", Race.CLOSED_WHILE_RECEIVING);
            }
            if (wire.hasLent()) {
                scene.tally.add("race", Race.CLOSED_WHILE_SENDING);
            }
            wire.cutBytes = proactor.unsentBytes(handle); // nothing more is told of it, so it makes no difference that this was asked
            if (wire.cutBytes > 0) {
                scene.tally.add("race", Race.CLOSED_WHILE_UNSENT);
            }
        }
        proactor.close(handle);
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
        return proactor.interest(handle);
    }

    @Override
    public int poll(Completions completions, long timeoutNanos) throws IOException {
        told.completions = completions;
        toldCount = 0;
        polls++;
        toldCount = proactor.poll(told, timeoutNanos);
        return toldCount;
    }

    @Override
    public void wakeup() {
        woken = true;
        proactor.wakeup();
    }

    /** The thread of the loop is at work, and does not sleep: it is turned. */
    void stir() {
        proactor.wakeup();
    }

    /** When a send was pending last; now: one is. */
    long lentNanos() {
        return lent > 0 ? scene.now() : lentNanos;
    }

    private void isBack(Wire wire) {
        if (wire.hasLent()) {
            lent--;
            lentNanos = scene.now();
            wire.lentBytes = 0;
        }
    }

    /** Whether it was woken since it was asked last. */
    boolean takeWoken() {
        boolean before = woken;
        woken = false;
        return before;
    }

    /** How much the last poll has told. */
    int toldCount() {
        return toldCount;
    }

    @Override
    public void close() throws IOException {
        proactor.close();
    }

    private void broken(String how) {
        scene.findings.report(Rule.COMPLETIONS, how);
    }

    // ---- what the server is told

    private final class Told implements Completions {
        @Nullable Completions completions;

        private Completions server() {
            return java.util.Objects.requireNonNull(completions);
        }

        /** The connection that is told something; it may be told nothing any more once it is closed. */
        private @Nullable Wire open(long handle, String what) {
            Wire wire = wires.get(handle);
            if (wire == null || wire.closed) {
                broken(what + " is told of a connection that is closed");
                return null;
            }
            return wire;
        }

        @Override
        public void accepted(long token, TcpStream stream) {
            scene.operations++;
            scene.progress++;
            server().accepted(token, stream);
        }

        @Override
        public void acceptFailed(long token, IOException failure) {
            scene.operations++;
            scene.tally.add("limit", Limit.DESCRIPTORS);
            if (scene.now() - acceptFailuresSinceNanos >= ACCEPT_FAILURES_NANOS) {
                acceptFailuresSinceNanos = scene.now();
                acceptFailures = 0;
            }
            if (++acceptFailures > ACCEPT_FAILURES_MAX) {
                scene.findings.report(Rule.SPIN, "accepting has failed " + acceptFailures + " times within "
                        + Words.time(ACCEPT_FAILURES_NANOS) + ", and is tried again and again: " + failure.getMessage());
            }
            server().acceptFailed(token, failure);
        }

        @Override
        public void connected(long handle) {
            scene.operations++;
            scene.progress++;
            Wire wire = open(handle, "a connect");
            if (wire != null) {
                wire.begins(scene.now());
            }
            server().connected(handle);
        }

        @Override
        public void received(long handle, ByteBuffer memory, int from, int to) {
            scene.operations++;
            scene.progress++;
            Wire wire = open(handle, "input");
            if (wire != null) {
                if (wire.inputEnded || from >= to) {
                    broken("input is told behind its end, or empty: " + from + " to " + to);
                }
                if (!wire.receiving) {
                    scene.tally.add("race", Race.RECEIVED_AFTER_STOP);
                }
                if (wire.hasLent()) {
                    scene.tally.add("race", Race.RECEIVED_WHILE_SENDING);
                }
                wire.bytesIn += to - from;
                scene.bytesReceived += to - from;
                wire.receivedNanos = scene.now();
                wire.ordinaryIn += scene.sendsUrgent ? frames.ordinaryBytes(memory, from, to) : to - from;
                wire.activeNanos = scene.now();
            }
            server().received(handle, memory, from, to);
        }

        @Override
        public void urgent(long handle, byte b) {
            scene.operations++;
            scene.progress++;
            Wire wire = open(handle, "an urgent byte");
            if (wire != null) {
                wire.activeNanos = scene.now();
            }
            server().urgent(handle, b);
        }

        @Override
        public void inputEnded(long handle) {
            scene.operations++;
            scene.progress++;
            Wire wire = open(handle, "the end of the input");
            if (wire != null) {
                if (wire.inputEnded) {
                    broken("the end of the input is told twice");
                }
                if (!wire.receiving) {
                    scene.tally.add("race", Race.END_AFTER_STOP);
                }
                wire.inputEnded = true;
            }
            server().inputEnded(handle);
        }

        @Override
        public void sent(long handle, long bytes) {
            scene.operations++;
            Wire wire = open(handle, "a send");
            if (wire != null) {
                if (bytes > wire.lentBytes) {
                    broken("a send of " + wire.lentBytes + " bytes is told to be " + bytes);
                }
                if (!wire.hasLent() && !wire.awaitsRoom) {
                    broken("room is told to who does not wait for it");
                }
                wire.awaitsRoom = bytes < wire.lentBytes;
                isBack(wire);
                if (bytes > 0) {
                    scene.progress++;
                    wire.took(bytes, scene.now());
                } else if (wire.unsentBytes > 0) {
                    scene.progress++;
                    wire.unsentHasLeft(scene.now());
                }
            }
            server().sent(handle, bytes);
        }

        @Override
        public void failed(long handle, IOException failure) {
            scene.operations++;
            scene.progress++;
            Wire wire = open(handle, "a failure");
            if (wire != null && wire.hasLent()) {
                scene.tally.add("race", Race.FAILED_WHILE_SENDING);
            }
            server().failed(handle, failure);
        }

        @Override
        public void spinning(long handle, String description) {
            scene.findings.report(Rule.SPIN, description);
            server().spinning(handle, description);
        }

        @Override
        public void closed(long handle) {
            scene.progress++;
            Wire wire = wires.remove(handle);
            if (wire != null && scene.now() - wire.closedNanos > GONE_SOON_NANOS) {
                scene.tally.add("race", Race.GONE_LATER);
            }
            if (wire != null) {
                isBack(wire);
            }
            if (wire == null || !wire.closed) {
                broken("a connection is told to be gone that was not closed, or is gone already");
            }
            server().closed(handle);
        }
    }
}
