package io.trivet.scenarios;

import io.trivet.net.Capability;
import io.trivet.net.Clock;
import io.trivet.net.Descriptor;
import io.trivet.net.Loop;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.Proactor;
import io.trivet.net.ReadinessProactor;
import io.trivet.net.SendableFile;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The network of the server in a {@link Trial}: a simulated host whose loops are turned by the trial, one by one, and whose clock
 * the trial moves, also in the middle of a turn.
 */
final class TrialNetwork implements Network {
    private static final Duration ROUND = Duration.ofNanos(1_000);
    private static final int ROUNDS_MAX = 20_000;

    private final TrialRun run;
    private final SimHost host;
    private final List<Loop> loops = new ArrayList<>();
    private final List<TrialProactor> proactors = new ArrayList<>();
    /** Until when each loop would wait after its last turn; {@link Loop#NO_DEADLINE} if it waits for events only. */
    private final List<Long> waitsUntil = new ArrayList<>();
    private final long originNanos;
    private long elapsedNanos;
    private int openFiles;
    private long shortenedTo = Long.MAX_VALUE;
    /** Not null if readiness is reported that does not exist. */
    private @Nullable StuckPoller stuckPoller;
    private boolean usesStuckPoller;

    TrialNetwork(TrialRun run, SimHost host) {
        this.run = run;
        this.host = host;
        // sometimes the clock wraps around within the trial
        originNanos = run.random.pick(0L, -1_000_000_000L, Long.MAX_VALUE - 2_718_281_829L);
    }

    SimHost host() {
        return host;
    }

    /** Returns the proactor of a loop. */
    TrialProactor proactor(int loop) {
        return proactors.get(loop);
    }

    Loop loop(int number) {
        return loops.get(number);
    }

    // ---- readiness that does not exist

    /** Called before the server is opened: a poller of it will report what {@link StuckPoller#stick} says. */
    void useStuckPoller() {
        usesStuckPoller = true;
    }

    StuckPoller stuckPoller() {
        StuckPoller poller = stuckPoller;
        if (poller == null) {
            throw new IllegalStateException("the server is not open");
        }
        return poller;
    }

    // ---- time

    /** Returns the time since the trial has started. */
    long now() {
        return elapsedNanos;
    }

    void pass(long nanos) {
        elapsedNanos += nanos;
    }

    /** Returns when a loop wants to be turned; {@link Loop#NO_DEADLINE} if it waits for events only. */
    long nextDeadline(int loop) {
        long deadline = loops.get(loop).nextDeadline();
        return deadline == Loop.NO_DEADLINE ? Loop.NO_DEADLINE : deadline - originNanos;
    }

    /** Describes until when each loop waits. */
    String describeWaits() {
        List<String> waits = new ArrayList<>();
        for (int i = 0; i < loops.size(); i++) {
            long next = nextDeadline(i);
            waits.add("loop " + i + (next == Loop.NO_DEADLINE ? " waits for events only" : " waits until "
                    + ReportText.duration(Math.max(0, next))));
        }
        return String.join(", ", waits);
    }

    // ---- turning

    /** Turns one loop once. Returns how much it has done. */
    int turn(int loop) throws IOException {
        int done = loops.get(loop).turn();
        waitsUntil.set(loop, nextDeadline(loop));
        run.sim.run(ROUND); // what a ring does in the background
        return done;
    }

    /**
     * Returns true if a loop that waits in the kernel would turn now: it was woken, or the deadline has passed that it had when it
     * began to wait.
     */
    boolean endsWait(int loop) {
        boolean woken = proactors.get(loop).takeWakeup();
        long until = waitsUntil.get(loop);
        return woken || (until != Loop.NO_DEADLINE && until <= now());
    }

    /** Turns all loops until they have nothing to do. */
    void settle() throws IOException {
        int rounds = 0;
        int quiet = 0;
        while (quiet < 3) {
            int done = 0;
            for (int i = 0; i < loops.size(); i++) {
                done += turn(i);
            }
            quiet = done == 0 ? quiet + 1 : 0;
            if (++rounds > ROUNDS_MAX) {
                run.fail(Rule.SPIN, "the loops have not come to rest after " + rounds + " turns");
                return;
            }
        }
    }

    // ---- the network of the server

    @Override
    public Proactor proactor() throws IOException {
        boolean isRing = host.engine() == SimEngine.URING;
        TrialProactor proactor = new TrialProactor(usesStuckPoller && !isRing ? new ReadinessProactor(this) : host.proactor());
        proactors.add(proactor);
        return proactor;
    }

    @Override
    public Poller poller() throws IOException {
        StuckPoller poller = new StuckPoller(host.poller());
        stuckPoller = poller;
        return poller;
    }

    @Override
    public void attach(Loop loop) {
        loops.add(loop);
        waitsUntil.add(Loop.NO_DEADLINE);
    }

    @Override
    public boolean turnsLoops() {
        return true;
    }

    @Override
    public Clock clock() {
        return () -> originNanos + elapsedNanos;
    }

    @Override
    public System.Logger logger(String name) {
        return host.logger(name);
    }

    // ---- delegated unchanged

    @Override
    public String name() {
        return host.name();
    }

    @Override
    public Object family() {
        return host.family();
    }

    @Override
    public boolean supports(Capability capability) {
        return host.supports(capability);
    }

    @Override
    public TcpListener listen(InetSocketAddress address, int backlog) throws IOException {
        return host.listen(address, backlog);
    }

    @Override
    public TcpStream connect(InetSocketAddress address) throws IOException {
        return host.connect(address);
    }

    @Override
    public UdpSocket udp(@Nullable InetSocketAddress address) throws IOException {
        return host.udp(address);
    }

    @Override
    public Pipe pipe() throws IOException {
        return host.pipe();
    }

    /** Returns a file that the kernel can send, or one that can only be read. */
    @Override
    public SendableFile openFile(Path path) throws IOException {
        return shortenedTo < Long.MAX_VALUE || run.random.chance(30) ? new ReadFile(Network.super.openFile(path), shortenedTo)
                : host.openFile(path);
    }

    /** Lets the files that are opened from now on end there, once they have been opened; Long.MAX_VALUE: where they do. */
    void shortenFiles(long bytes) {
        shortenedTo = bytes;
    }

    /** Returns the number of files that can only be read and are open. */
    int openFiles() {
        return openFiles;
    }

    /** A file that can only be read, and is counted until it is closed. */
    private final class ReadFile implements SendableFile {
        private final SendableFile file;
        private final long end;
        private boolean open = true;

        ReadFile(SendableFile file, long end) {
            this.file = file;
            this.end = end;
            openFiles++;
        }

        @Override
        public long size() throws IOException {
            return file.size();
        }

        @Override
        public int read(ByteBuffer into, long position) throws IOException {
            if (position >= end) {
                return -1;
            }
            int limit = into.limit();
            into.limit(into.position() + (int) Math.min(into.remaining(), end - position));
            int read = file.read(into, position);
            into.limit(limit);
            return read;
        }

        @Override
        public void close() throws IOException {
            openFiles -= open ? 1 : 0;
            open = false;
            file.close();
        }
    }

    @Override
    public Descriptor descriptor(int fd) {
        return host.descriptor(fd);
    }

    @Override
    public int selectOnce(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        return host.selectOnce(sockets, interests, count, timeoutNanos);
    }
}
