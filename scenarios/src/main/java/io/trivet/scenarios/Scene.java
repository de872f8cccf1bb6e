package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.sim.Fault;
import io.trivet.sim.SimClock;
import io.trivet.sim.SimNetwork;
import java.nio.ByteBuffer;

/** What all who take part in one run share. */
final class Scene {
    /** {@link #where}: in no loop of a server. */
    static final int OUTSIDE = -1;

    final World world;
    final SimNetwork network;
    final SimClock clock;
    final Timeline timeline;
    final Findings findings;
    final Tally tally;
    /** Which loop of which server is being turned: what is called there comes from its thread, as it were. */
    int where = OUTSIDE;
    /** From the healing on, applications and clients come to an end. */
    boolean healed;
    /**
     * Counts up whenever something has really happened: bytes have gone, somebody came or went, a time has come. So a loop that only turns
     * is known; and one that goes on calling its application, which is nothing that happens, however busy both are.
     */
    long progress;
    /** How often an application was told of its own doing: that something was dropped, or that its queue has drained. */
    long callsBack;
    /** Calls on sockets, and completions. */
    long operations;
    long connections;
    /** Bytes that servers have received. */
    long bytesReceived;
    /** What a client reads into, for as long as it reads. */
    final ByteBuffer reading = ByteBuffer.allocate(64 * 1024);
    /** What applications send from: overwritten as soon as it was taken. */
    final ByteBuffer sending = ByteBuffer.allocateDirect(64 * 1024);
    Planted planted = Planted.NOTHING;
    /** After so many rounds of all loops the run is ended. */
    long roundsMax = Play.ROUNDS_MAX;
    private long jumps;
    private long jumpedNanos = -1;
    /** Whether any client sends urgent bytes. */
    final boolean sendsUrgent;

    Scene(World world, SimNetwork network, Timeline timeline, Findings findings, Tally tally) {
        this.world = world;
        this.network = network;
        clock = network.clock();
        this.timeline = timeline;
        this.findings = findings;
        this.tally = tally;
        sendsUrgent = world.peers().stream().flatMap(peer -> peer.steps().stream())
                .anyMatch(step -> step.deed() instanceof Deed.Urgent);
    }

    long now() {
        return clock.elapsedNanos();
    }

    /** A time of ours as a deadline of the network's clock; a nanosecond early, if it is the number that means none. */
    long deadline(long nanos) {
        long deadline = clock.nanoTime() - now() + nanos;
        return deadline == Loop.NO_DEADLINE ? deadline - 1 : deadline;
    }

    /** Whether a kind of fault has happened, to whomever. */
    boolean fired(Fault kind) {
        return countFired(kind) > 0;
    }

    /** How often it has happened. */
    long countFired(Fault kind) {
        return network.faultCount(kind);
    }

    /** Looks whether the clock has jumped; whoever turns asks first, so it is seen at the time that it has jumped to. */
    void lookForJump() {
        long count = countFired(Fault.CLOCK_JUMP);
        if (count != jumps) {
            jumps = count;
            jumpedNanos = now();
        }
    }

    /** When the clock has jumped last: nobody could do anything in time then; below 0: it never has. */
    long jumpedNanos() {
        return jumpedNanos;
    }

    /** The number of a loop among all of the world. */
    static int loopKey(int server, int loop) {
        return server << 8 | loop;
    }
}
