package io.trivet.server;

import io.trivet.net.Capability;
import io.trivet.net.Clock;
import io.trivet.net.Descriptor;
import io.trivet.net.ListenOptions;
import io.trivet.net.Loop;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.Proactor;
import io.trivet.net.SendableFile;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** A network whose clock advances only by {@link #step}, so that deadlines are tested without waiting. */
class SteppedNetwork implements Network {
    /** The time until the clock shows {@link Loop#NO_DEADLINE}, the greatest long. */
    static final Duration UNTIL_NO_DEADLINE = Duration.ofSeconds(3);

    private final Network inner;
    /** Starts shortly before the overflow of a long, because only differences of clock readings are meaningful. */
    private final AtomicLong nanos = new AtomicLong(Loop.NO_DEADLINE - UNTIL_NO_DEADLINE.toNanos());

    SteppedNetwork(Network inner) {
        this.inner = inner;
    }

    /** Advances the clock. */
    void step(Duration duration) {
        nanos.addAndGet(duration.toNanos());
    }

    @Override
    public Clock clock() {
        return nanos::get;
    }

    @Override
    public String name() {
        return inner.name();
    }

    @Override
    public Object family() {
        return inner.family();
    }

    @Override
    public boolean supports(Capability capability) {
        return inner.supports(capability);
    }

    @Override
    public TcpListener listen(InetSocketAddress address, int backlog) throws IOException {
        return inner.listen(address, backlog);
    }

    @Override
    public TcpListener listen(InetSocketAddress address, int backlog, ListenOptions options) throws IOException {
        return inner.listen(address, backlog, options);
    }

    @Override
    public TcpStream connect(InetSocketAddress address) throws IOException {
        return inner.connect(address);
    }

    @Override
    public TcpStream connect(InetSocketAddress address, InetSocketAddress local) throws IOException {
        return inner.connect(address, local);
    }

    @Override
    public UdpSocket udp(InetSocketAddress address) throws IOException {
        return inner.udp(address);
    }

    @Override
    public Pipe pipe() throws IOException {
        return inner.pipe();
    }

    @Override
    public Descriptor descriptor(int fd) {
        return inner.descriptor(fd);
    }

    @Override
    public SendableFile openFile(Path path) throws IOException {
        return inner.openFile(path);
    }

    @Override
    public Poller poller() throws IOException {
        return inner.poller();
    }

    @Override
    public Proactor proactor() throws IOException {
        return inner.proactor();
    }

    @Override
    public boolean turnsLoops() {
        return inner.turnsLoops();
    }

    @Override
    public void attach(Loop loop) {
        inner.attach(loop);
    }
}
