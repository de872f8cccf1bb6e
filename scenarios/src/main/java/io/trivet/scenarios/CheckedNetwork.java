package io.trivet.scenarios;

import io.trivet.net.Capability;
import io.trivet.net.Clock;
import io.trivet.net.Descriptor;
import io.trivet.net.Loop;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The network of a server under test: wraps its simulated host and checks every turn, call and completion. */
final class CheckedNetwork implements Network {
    private final RunContext context;
    private final SimHost host;
    private final List<CheckedProactor> proactors = new ArrayList<>();
    private final List<CheckedLoop> loops = new ArrayList<>();
    private @Nullable ServerUnderTest server;

    CheckedNetwork(RunContext context, SimHost host) {
        this.context = context;
        this.host = host;
    }

    void belongsTo(ServerUnderTest owner) {
        server = owner;
    }

    SimHost host() {
        return host;
    }

    ObservedSocket socket(int loop, InetSocketAddress remote) {
        return proactors.get(loop).socket(remote);
    }

    List<CheckedLoop> loops() {
        return loops;
    }

    /** Wakes the server's loops because their thread is awake anyway. It does not count as the server's wakeup. */
    void wakeSilently() {
        proactors.forEach(CheckedProactor::wakeSilently);
    }

    @Override
    public Proactor proactor() throws IOException {
        CheckedProactor proactor = new CheckedProactor(context, Objects.requireNonNull(server), host.proactor());
        proactors.add(proactor);
        return proactor;
    }

    @Override
    public void attach(Loop loop) {
        CheckedLoop watched = new CheckedLoop(context, Objects.requireNonNull(server), loops.size(), loop,
                proactors.get(loops.size()));
        loops.add(watched);
        host.attach(watched);
    }

    @Override
    public boolean turnsLoops() {
        return true;
    }

    // ---- delegated unchanged

    @Override
    public System.Logger logger(String name) {
        return host.logger(name);
    }

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
    public Clock clock() {
        return host.clock();
    }

    @Override
    public TcpListener listen(InetSocketAddress address, int backlog) throws IOException {
        return new ObservedListener(Objects.requireNonNull(server), host.listen(address, backlog));
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

    @Override
    public Descriptor descriptor(int fd) {
        return host.descriptor(fd);
    }

    @Override
    public Poller poller() throws IOException {
        return host.poller();
    }
}
