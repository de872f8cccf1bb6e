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

/** A server's host, with judges between the server and the simulated kernel: they see each loop's turns, and all that goes through. */
final class WatchedNetwork implements Network {
    private final Scene scene;
    private final SimHost host;
    private final List<WatchedProactor> proactors = new ArrayList<>();
    private final List<WatchedLoop> loops = new ArrayList<>();
    private @Nullable House house;

    WatchedNetwork(Scene scene, SimHost host) {
        this.scene = scene;
        this.host = host;
    }

    void belongsTo(House owner) {
        house = owner;
    }

    SimHost host() {
        return host;
    }

    Wire wire(int loop, long handle) {
        return proactors.get(loop).wire(handle);
    }

    List<WatchedLoop> loops() {
        return loops;
    }

    /** The thread of all its loops is at work. */
    void stir() {
        proactors.forEach(WatchedProactor::stir);
    }

    @Override
    public Proactor proactor() throws IOException {
        WatchedProactor proactor = new WatchedProactor(scene, Objects.requireNonNull(house).plan.frames(), host.proactor());
        proactors.add(proactor);
        return proactor;
    }

    @Override
    public void attach(Loop loop) {
        WatchedLoop watched = new WatchedLoop(scene, Objects.requireNonNull(house), loops.size(), loop,
                proactors.get(loops.size()));
        loops.add(watched);
        host.attach(watched);
    }

    @Override
    public boolean turnsLoops() {
        return true;
    }

    // ---- as it is

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

    @Override
    public Descriptor descriptor(int fd) {
        return host.descriptor(fd);
    }

    @Override
    public Poller poller() throws IOException {
        return host.poller();
    }
}
