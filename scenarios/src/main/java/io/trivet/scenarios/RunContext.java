package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.sim.Fault;
import io.trivet.sim.SimClock;
import io.trivet.sim.SimNetwork;
import java.nio.ByteBuffer;

/** The state that all parts of one run share. */
final class RunContext {
    /** The value of {@link #currentLoop} while no loop of a server runs. */
    static final int OUTSIDE = -1;

    final Scenario scenario;
    final SimNetwork network;
    final SimClock clock;
    final Timeline timeline;
    final FailureLog failures;
    final Tally tally;
    /** The server loop that runs now. On a real network, its thread would make the current call. */
    int currentLoop = OUTSIDE;
    /** True while a timer runs. */
    boolean runsTimer;
    /** True in the recovery phase, in which applications and clients finish. */
    boolean recovering;
    /**
     * Counts events that are progress: bytes were transferred, a connection was opened or closed, a timer ran. A loop that keeps
     * turning without progress spins. A callback to the application is not progress by itself, so a loop that only keeps calling
     * the application spins, too.
     */
    long progress;
    /** Callbacks that the application's own calls have caused: dropped messages and drained queues. */
    long selfCausedCallbacks;
    /** Calls on sockets, and completions. */
    long operations;
    long connections;
    /** Bytes that servers have received. */
    long bytesReceived;
    /** Memory for one read of a client. */
    final ByteBuffer readBuffer = ByteBuffer.allocate(64 * 1024);
    /** Memory that applications send from. It is overwritten after each send. */
    final ByteBuffer sendBuffer = ByteBuffer.allocateDirect(64 * 1024);
    PlantedBug plantedBug = PlantedBug.NONE;
    /** The run fails after this number of rounds of all loops. */
    long roundsMax = Run.ROUNDS_MAX;
    private long jumps;
    private long jumpedNanos = -1;
    /** True if any client sends urgent bytes. */
    final boolean sendsUrgent;

    RunContext(Scenario scenario, SimNetwork network, Timeline timeline, FailureLog failures, Tally tally) {
        this.scenario = scenario;
        this.network = network;
        clock = network.clock();
        this.timeline = timeline;
        this.failures = failures;
        this.tally = tally;
        sendsUrgent = scenario.clients().stream().flatMap(client -> client.steps().stream())
                .anyMatch(step -> step.action() instanceof ClientAction.SendUrgent);
    }

    /** Counts that an excuse was used, and returns true. Call it only where nothing else explains what has happened. */
    boolean isExcused(Excuse excuse) {
        tally.add("excuse", excuse);
        return true;
    }

    long now() {
        return clock.elapsedNanos();
    }

    /**
     * Converts a time of the run into a deadline of the network's clock. A deadline that would equal {@link Loop#NO_DEADLINE} is
     * a nanosecond earlier.
     */
    long deadline(long nanos) {
        long deadline = clock.nanoTime() - now() + nanos;
        return deadline == Loop.NO_DEADLINE ? deadline - 1 : deadline;
    }

    /** Returns true if a kind of fault has occurred anywhere. */
    boolean hasFired(Fault kind) {
        return countFired(kind) > 0;
    }

    /** Returns how often a kind of fault has occurred. */
    long countFired(Fault kind) {
        return network.faultCount(kind);
    }

    /**
     * Records a jump of the clock. Each loop calls this at the start of its turn, so the recorded time is that after the jump.
     */
    void detectClockJump() {
        long count = countFired(Fault.CLOCK_JUMP);
        if (count != jumps) {
            jumps = count;
            jumpedNanos = now();
        }
    }

    /** Returns the time of the latest jump of the clock, at which deadlines may have passed; negative if there was none. */
    long jumpedNanos() {
        return jumpedNanos;
    }

    /** Returns the number of a loop among all loops of the scenario. */
    static int loopKey(int server, int loop) {
        return server << 8 | loop;
    }
}
