package io.trivet.sim.kernel;

import io.trivet.net.Capability;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpOptions;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import io.trivet.sim.KernelAccounting;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** Runs a script on a network and records the result of every step and the readiness of every socket after it. */
final class ScriptRunner implements AutoCloseable {
    /** How often a snapshot is repeated while data still arrives. */
    private static final int SNAPSHOTS_MAX = 10;
    /** The most descriptors that a script can have open, rounded up to an even number. */
    private static final int DESCRIPTORS_MAX = (Slot.COUNT + 1) / 2 * 2;
    private static final int BYTES_MAX = 1 << 17;
    /** The kernel retransmits an unanswered SYN after one second; this stays below it. */
    private static final long SYN_RETRY_NANOS = 900_000_000;
    /** The stream's pattern: each byte depends on its position, so that a lost or repeated byte is detected. Its length is prime. */
    private static final byte[] LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678".getBytes(
            java.nio.charset.StandardCharsets.US_ASCII);
    private static final byte[] URGENT_LETTERS = "!#$%&*+=?@".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    private static final int SHOWN_MAX = 24;
    /** One in this many snapshots uses a new poller of the engine itself, even if another engine gives the same answer at less cost. */
    private static final int FRESH_POLLER_ONE_IN = 8;

    private final Network network;
    /** Polled after each step for the three lists. */
    private final Network listNetwork;
    private final InetAddress host;
    private final Settler settler;
    private final boolean hasUrgentData;
    private final boolean asNio;
    private final Poller poller;
    private final ReadyEvents ready = new ReadyEvents(Slot.COUNT + 1);
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BYTES_MAX);

    private final @Nullable TrackedSocket[] slots = new TrackedSocket[Slot.COUNT];
    private final @Nullable InetSocketAddress[] addresses = new InetSocketAddress[Slot.COUNT];
    private final Map<Integer, TrackedSocket> clientsByPort = new HashMap<>();
    private final Socket[] polledSockets = new Socket[Slot.COUNT];
    private final int[] interests = new int[Slot.COUNT];
    /** The descriptors that were free at the start, in ascending order; empty if descriptors are not compared. */
    private final int[] freeDescriptors;
    private int accepted;
    private int pollCount;
    private int unsettled;
    private final long startNanos = System.nanoTime();
    private boolean hasConnecting;
    private int stepsBeforeSynRetry;

    /**
     * Creates a runner.
     *
     * @param network the network to run on
     * @param host a local address that nothing else uses meanwhile
     * @param settler waits until a step has taken effect
     * @param asNio whether the network is java.nio, or is compared with it
     */
    ScriptRunner(Network network, InetAddress host, Settler settler, boolean asNio) throws IOException {
        this.network = network;
        // Creating an epoll instance per snapshot would cost more than everything else.
        this.listNetwork = network.name().equals("epoll") ? Network.named("poll") : network;
        this.host = host;
        this.settler = settler;
        this.asNio = asNio;
        this.hasUrgentData = network.supports(Capability.URGENT_DATA) && !asNio;
        this.poller = network.poller();
        this.freeDescriptors = asNio ? new int[0] : findFreeDescriptors();
    }

    /** Returns the next descriptors, provided that nothing else opens or closes any. An older process may have gaps between them. */
    private int[] findFreeDescriptors() throws IOException {
        int[] free = new int[DESCRIPTORS_MAX];
        List<Pipe> pipes = new ArrayList<>();
        for (int i = 0; i < DESCRIPTORS_MAX; i += 2) {
            Pipe pipe = network.pipe();
            pipes.add(pipe);
            free[i] = pipe.source().fd();
            free[i + 1] = pipe.sink().fd();
        }
        for (Pipe pipe : pipes) {
            pipe.source().close();
            pipe.sink().close();
        }
        Arrays.sort(free);
        return free;
    }

    /** Returns the index of a socket's descriptor among those free at the start. The kernel always assigns the lowest free one. */
    private String descriptorRank(Socket socket) {
        return freeDescriptors.length == 0 ? "" : " #" + Arrays.binarySearch(freeDescriptors, socket.fd());
    }

    /** Returns how many steps had completed before the SYN of a connect that met a full backlog may have been retransmitted. */
    int stepsBeforeSynRetry() {
        return stepsBeforeSynRetry;
    }

    /** Returns how many steps did not settle in time. */
    int unsettled() {
        return unsettled;
    }

    /** Runs all steps. Calls {@code beforeStep} with the index of each step before running it. */
    List<Outcome> run(List<Step> steps, IntConsumer beforeStep) throws IOException {
        List<Outcome> outcomes = new ArrayList<>(steps.size());
        for (int i = 0; i < steps.size(); i++) {
            beforeStep.accept(i);
            Outcome outcome = run(steps.get(i));
            outcomes.add(outcome);
            hasConnecting |= hasConnecting(outcome);
            if (!hasConnecting || System.nanoTime() - startNanos < SYN_RETRY_NANOS) {
                stepsBeforeSynRetry = i + 1;
            }
        }
        return outcomes;
    }

    /** Returns true if a client is still connecting and therefore in none of the lists. */
    private boolean hasConnecting(Outcome outcome) {
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_SERVER; slot++) {
            TrackedSocket tracked = slots[slot];
            if (tracked != null && outcome.lists()[slot] == 0 && tracked.sent == 0) {
                return true;
            }
        }
        return false;
    }

    private Outcome run(Step step) throws IOException {
        accepted = -1;
        String result;
        try {
            result = execute(step);
        } catch (NetworkException e) {
            result = e.code() + "";
        } catch (ClosedChannelException e) {
            result = "closed";
        } catch (UnsupportedOperationException e) {
            result = "unsupported";
        } catch (IllegalArgumentException e) {
            result = "illegal argument";
        }
        byte[] lists;
        byte[] events;
        KernelAccounting.@Nullable Accounts[] accounts;
        int attemptsLeft = SNAPSHOTS_MAX;
        do { // data that arrives between the two polls would be visible in one of them only
            if (!settler.settle(slots)) {
                unsettled++;
            }
            accounts = settler.accounts(slots);
            lists = lists();
            events = events();
        } while ((settler.hasProgressed(slots) || !Arrays.equals(accounts, settler.accounts(slots))) && --attemptsLeft > 0);
        return new Outcome(result, lists, events, accepted, arrived(), accounts, closedWhileFull(), finBlocked());
    }

    private String execute(Step step) throws IOException {
        int slot = step.slot();
        int value = step.value();
        return switch (step.op()) {
            case LISTEN -> listen(slot, value);
            case CONNECT -> connect(slot, value);
            case UDP_OPEN -> openDatagram(slot);
            case PIPE_OPEN -> openPipe();
            case SELECT -> select(value);
            default -> {
                TrackedSocket tracked = slots[slot];
                yield tracked == null ? Outcome.NO_OP : execute(step.op(), tracked, value);
            }
        };
    }

    private String execute(Step.Op op, TrackedSocket tracked, int value) throws IOException {
        boolean closes = op == Step.Op.CLOSE || op == Step.Op.RESET || op == Step.Op.SHUTDOWN_INPUT
                || op == Step.Op.SHUTDOWN_OUTPUT;
        if (closes && tracked.peer != null && tracked.peer.arrived < tracked.peer.sent && !tracked.connectionEnded
                && !tracked.closed) {
            tracked.closedWhileFull = true;
            tracked.peer.closedWhileFull = true;
        }
        if (tracked.refused && op != Step.Op.CLOSE) {
            return Outcome.NO_OP;
        }
        if (asNio && tracked.outputEnded && !tracked.closed && (op == Step.Op.WRITE || op == Step.Op.GATHER)) {
            return "EPIPE"; // the JDK does not call the kernel any more
        }
        return switch (op) {
            case FINISH_CONNECT -> tracked.stream().finishConnect() ? "connected" : "connecting";
            case ACCEPT -> accept(tracked);
            case READ -> read(tracked, value);
            case WRITE -> write(tracked, value);
            case GATHER -> gather(tracked, value);
            case SEND_URGENT -> sendUrgent(tracked);
            case RECEIVE_URGENT -> receiveUrgent(tracked);
            case AT_MARK -> tracked.stream().atMark() ? "at the mark" : "not at the mark";
            case SHUTDOWN_INPUT -> {
                tracked.stream().shutdownInput();
                yield "ok";
            }
            case SHUTDOWN_OUTPUT -> {
                shutdownOutput(tracked);
                yield "ok";
            }
            case CLOSE -> close(tracked);
            case RESET -> {
                tracked.stream().setOption(StandardSocketOptions.SO_LINGER, 0);
                tracked.registered = false;
                yield close(tracked);
            }
            case RECEIVE_LOW_WATER -> option(tracked, TcpOptions.RECEIVE_LOW_WATER, value);
            case NOT_SENT_LOW_WATER -> option(tracked, TcpOptions.NOT_SENT_LOW_WATER, value);
            case URGENT_INLINE -> option(tracked, TcpOptions.URGENT_INLINE, value != 0);
            case SEND_BUFFER -> option(tracked, StandardSocketOptions.SO_SNDBUF, value);
            case RECEIVE_BUFFER -> option(tracked, StandardSocketOptions.SO_RCVBUF, value);
            case UDP_CONNECT -> {
                InetSocketAddress peer = addresses[value];
                if (peer == null) {
                    yield Outcome.NO_OP;
                }
                ((UdpSocket) tracked.socket).connect(peer);
                tracked.sent = 1;
                yield "ok";
            }
            case UDP_SEND -> sendDatagram(tracked, value);
            case UDP_RECEIVE -> receiveDatagram(tracked, value);
            case REGISTER -> {
                poller.register(tracked.socket, value & possibleInterest(tracked.slot), tracked.slot);
                tracked.registered = true;
                yield "ok";
            }
            case MODIFY -> {
                poller.modify(tracked.socket, value & possibleInterest(tracked.slot), tracked.slot);
                yield "ok";
            }
            case DEREGISTER -> {
                poller.deregister(tracked.socket);
                yield "ok";
            }
            case LISTEN, CONNECT, UDP_OPEN, PIPE_OPEN, SELECT -> throw new AssertionError(op);
        };
    }

    // Opening.

    private boolean isFree(int slot) {
        TrackedSocket tracked = slots[slot];
        return tracked == null || tracked.closed;
    }

    private String listen(int slot, int backlog) throws IOException {
        if (!isFree(slot)) {
            return Outcome.NO_OP;
        }
        TcpListener listener = network.listen(new InetSocketAddress(host, 0), backlog);
        slots[slot] = new TrackedSocket(listener, slot);
        addresses[slot] = listener.localAddress();
        return "ok" + descriptorRank(listener);
    }

    private String connect(int slot, int targetSlot) throws IOException {
        InetSocketAddress address = addresses[targetSlot];
        if (!isFree(slot) || address == null) {
            return Outcome.NO_OP;
        }
        TcpStream stream = network.connect(address);
        // Otherwise Nagle's algorithm holds bytes back until the delayed acknowledgement arrives.
        stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
        TrackedSocket tracked = new TrackedSocket(stream, slot);
        slots[slot] = tracked;
        tracked.refused = asNio && !hasConnected(stream);
        if (!tracked.refused) {
            clientsByPort.put(stream.localAddress().getPort(), tracked);
        }
        return "ok" + descriptorRank(stream);
    }

    /** Completes a connect: java.nio requires finishConnect, and closes a stream that was refused. */
    private static boolean hasConnected(TcpStream stream) throws IOException {
        try {
            return stream.finishConnect();
        } catch (NetworkException e) {
            return false;
        }
    }

    private String accept(TrackedSocket listener) throws IOException {
        int slot = Slot.FIRST_SERVER;
        while (!isFree(slot)) {
            if (++slot == Slot.FIRST_SERVER + Slot.CONNECTIONS) {
                return Outcome.NO_OP;
            }
        }
        TcpStream stream = ((TcpListener) listener.socket).accept();
        if (stream == null) {
            return "none";
        }
        stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
        TrackedSocket tracked = new TrackedSocket(stream, slot);
        slots[slot] = tracked;
        TrackedSocket client = clientsByPort.get(stream.remoteAddress().getPort());
        if (client == null) {
            return Slot.name(slot) + " from an unknown client" + descriptorRank(stream);
        }
        tracked.peer = client;
        client.peer = tracked;
        return Slot.name(slot) + " from " + Slot.name(client.slot) + (slots[client.slot] == client ? "" : " (replaced)")
                + descriptorRank(stream);
    }

    private String openDatagram(int slot) throws IOException {
        if (!isFree(slot)) {
            return Outcome.NO_OP;
        }
        UdpSocket socket = network.udp(new InetSocketAddress(host, 0));
        slots[slot] = new TrackedSocket(socket, slot);
        addresses[slot] = socket.localAddress();
        return "ok" + descriptorRank(socket);
    }

    private String openPipe() throws IOException {
        if (!isFree(Slot.SOURCE) || !isFree(Slot.SINK)) {
            return Outcome.NO_OP;
        }
        Pipe pipe = network.pipe();
        slots[Slot.SOURCE] = new TrackedSocket(pipe.source(), Slot.SOURCE);
        slots[Slot.SINK] = new TrackedSocket(pipe.sink(), Slot.SINK);
        return "ok" + descriptorRank(pipe.source()) + descriptorRank(pipe.sink());
    }

    private String close(TrackedSocket tracked) throws IOException {
        if (!tracked.closed && poller.registration(tracked.socket) != null) {
            poller.deregister(tracked.socket);
        }
        if (asNio && tracked.registered && tracked.socket instanceof TcpStream) {
            shutdownOutput(tracked); // as the JDK does when it closes a stream that was registered with a selector
        }
        tracked.socket.close();
        if (!tracked.closed) {
            tracked.closed = true;
            tracked.outputEnded = true;
            TrackedSocket peer = tracked.peer;
            if (peer != null) {
                peer.sentBeforePeerClosed = peer.sent;
            }
        }
        return "ok";
    }

    private void shutdownOutput(TrackedSocket tracked) throws IOException {
        try {
            tracked.stream().shutdownOutput();
            tracked.outputEnded = true;
        } catch (NetworkException e) {
            if (!asNio || e.code() != ErrorCode.ENOTCONN) {
                throw e;
            }
            tracked.outputEnded = true; // the JDK hides this error
        }
    }

    // Bytes.

    private String read(TrackedSocket tracked, int count) throws IOException {
        buffer.clear().limit(Math.min(count, BYTES_MAX));
        int read = switch (tracked.socket) {
            case TcpStream stream -> stream.read(buffer);
            case Pipe.Source source -> source.read(buffer);
            default -> throw new AssertionError(tracked.socket);
        };
        return read < 0 ? "end" : read == 0 ? "would block" : describe(read);
    }

    private String write(TrackedSocket tracked, int count) throws IOException {
        fill(tracked, count);
        accepted = 0;
        accepted = switch (tracked.socket) {
            case TcpStream stream -> stream.write(buffer);
            case Pipe.Sink sink -> sink.write(buffer);
            default -> throw new AssertionError(tracked.socket);
        };
        tracked.sent += accepted;
        return "accepted " + accepted;
    }

    private String gather(TrackedSocket tracked, int count) throws IOException {
        fill(tracked, count);
        ByteBuffer[] parts = {buffer.slice(0, count / 3), buffer.slice(count / 3, buffer.limit() - count / 3)};
        accepted = 0;
        accepted = (int) tracked.stream().write(parts, 0, 2);
        tracked.sent += accepted;
        return "accepted " + accepted;
    }

    private void fill(TrackedSocket tracked, int count) {
        buffer.clear();
        for (int i = 0; i < Math.min(count, BYTES_MAX); i++) {
            buffer.put(LETTERS[(int) ((tracked.sent + i) % LETTERS.length)]);
        }
        buffer.flip();
    }

    private String sendUrgent(TrackedSocket tracked) throws IOException {
        accepted = 0;
        accepted = tracked.stream().sendUrgent(URGENT_LETTERS[(int) (tracked.sent % URGENT_LETTERS.length)]) ? 1 : 0;
        tracked.sent += accepted;
        tracked.hasSentUrgent |= accepted > 0;
        return "accepted " + accepted;
    }

    /**
     * Receives the urgent byte. If the peer was closed before there was room for its urgent byte, the byte never arrives. An
     * acknowledgement may have announced it: then Linux returns ENOTCONN, otherwise there is none. That depends on the timers of
     * acknowledgements and window probes, so both are the same result.
     */
    private static String receiveUrgent(TrackedSocket tracked) throws IOException {
        TrackedSocket peer = tracked.peer;
        boolean mayBeAnnounced = peer != null && peer.closed && peer.hasSentUrgent;
        int urgent;
        try {
            urgent = tracked.stream().receiveUrgent();
        } catch (NetworkException e) {
            if (e.code() != ErrorCode.ENOTCONN || !mayBeAnnounced) {
                throw e;
            }
            urgent = -1;
        }
        return urgent >= 0 ? String.valueOf((char) urgent) : mayBeAnnounced ? "none, or ENOTCONN" : "none";
    }

    /** Sends to the connected peer if there is one and the value has bit 1 set; otherwise to the socket that the value's parity selects. */
    private String sendDatagram(TrackedSocket tracked, int value) throws IOException {
        boolean toPeer = tracked.sent != 0 && (value & 2) != 0;
        InetSocketAddress address = addresses[Slot.FIRST_DATAGRAM + (value & 1)];
        if (!toPeer && address == null) {
            return Outcome.NO_OP;
        }
        buffer.clear();
        for (int i = 0; i < value; i++) {
            buffer.put(LETTERS[(i + value) % LETTERS.length]);
        }
        return ((UdpSocket) tracked.socket).send(buffer.flip(), toPeer ? null : address) ? "sent" : "would block";
    }

    private String receiveDatagram(TrackedSocket tracked, int count) throws IOException {
        buffer.clear().limit(count);
        InetSocketAddress from = ((UdpSocket) tracked.socket).receive(buffer);
        if (from == null) {
            return "would block";
        }
        for (int slot = Slot.FIRST_DATAGRAM; slot < Slot.SOURCE; slot++) {
            if (from.equals(addresses[slot])) {
                return describe(buffer.position()) + " from " + Slot.name(slot);
            }
        }
        return describe(buffer.position()) + " from a closed socket";
    }

    /** Describes the first {@code count} bytes of the buffer: their number, the beginning, and a hash of the rest. */
    private String describe(int count) {
        byte[] first = new byte[Math.min(count, SHOWN_MAX)];
        buffer.get(0, first);
        int sum = 1;
        for (int i = first.length; i < count; i++) {
            sum = 31 * sum + buffer.get(i);
        }
        return count + " " + new String(first, java.nio.charset.StandardCharsets.ISO_8859_1)
                + (count > SHOWN_MAX ? "… " + Integer.toHexString(sum) : "");
    }

    private <T> String option(TrackedSocket tracked, java.net.SocketOption<T> option, T value) throws IOException {
        tracked.socket.setOption(option, value);
        return asNio ? "set" : "is " + tracked.socket.getOption(option); // the JDK hides that Linux doubles buffer sizes
    }

    // Readiness.

    private byte[] lists() throws IOException {
        byte[] lists = new byte[Slot.COUNT];
        int count = 0;
        for (int slot = 0; slot < Slot.COUNT; slot++) {
            TrackedSocket tracked = slots[slot];
            if (tracked == null || tracked.closed) {
                lists[slot] = -1;
            } else {
                polledSockets[count] = tracked.socket;
                interests[count++] = possibleInterest(slot);
            }
        }
        (++pollCount % FRESH_POLLER_ONE_IN == 0 ? network : listNetwork).selectOnce(polledSockets, interests, count, 0);
        count = 0;
        for (int slot = 0; slot < Slot.COUNT; slot++) {
            if (lists[slot] == 0) {
                lists[slot] = (byte) interests[count++];
            }
        }
        return lists;
    }

    /** Returns the lists that a socket can be in at all. java.nio, for example, reports no errors of a pipe's sink. */
    private int possibleInterest(int slot) {
        if (!asNio) {
            return Interest.ALL;
        } else if (slot == Slot.SINK) {
            return Interest.WRITE;
        }
        return slot == Slot.SOURCE || Slot.isListener(slot) ? Interest.READ : Interest.READ | Interest.WRITE;
    }

    private byte[] events() throws IOException {
        byte[] events = new byte[Slot.COUNT];
        poller.poll(ready, 0);
        for (int i = 0; i < ready.size(); i++) {
            int slot = (int) ready.token(i);
            events[slot] |= (byte) ready.events(i);
        }
        return events;
    }

    private int closedWhileFull() {
        int cut = 0;
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            TrackedSocket tracked = slots[slot];
            cut |= tracked != null && tracked.closedWhileFull ? 1 << slot : 0;
        }
        return cut;
    }

    private int finBlocked() {
        int heldBack = 0;
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            TrackedSocket tracked = slots[slot];
            heldBack |= tracked != null && tracked.finBlocked ? 1 << slot : 0;
        }
        return heldBack;
    }

    private long[] arrived() {
        long[] arrived = new long[Slot.COUNT];
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            TrackedSocket tracked = slots[slot];
            arrived[slot] = tracked == null ? 0 : Math.min(tracked.arrived, tracked.sent); // the FIN is not counted
        }
        return arrived;
    }

    private String select(int value) throws IOException {
        SplittableRandom random = new SplittableRandom(value);
        int closedOneIn = random.nextInt(8) == 0 ? 4 : 0;
        List<Socket> reading = randomSockets(random, closedOneIn, Interest.READ);
        List<Socket> writing = randomSockets(random, closedOneIn, Interest.WRITE);
        List<Socket> urgent = hasUrgentData ? randomSockets(random, closedOneIn, Interest.PRIORITY) : List.of();
        Ready<Socket> selected = Select.on(network).select(reading, writing, urgent, Duration.ZERO);
        return "r" + names(selected.readable()) + " w" + names(selected.writable()) + " x" + names(selected.exceptional());
    }

    private List<Socket> randomSockets(SplittableRandom random, int closedOneIn, int interest) {
        List<Socket> list = new ArrayList<>();
        for (int i = random.nextInt(2 * Slot.COUNT); i > 0; i--) {
            TrackedSocket tracked = slots[random.nextInt(Slot.COUNT)];
            if (tracked != null && (possibleInterest(tracked.slot) & interest) != 0
                    && (!tracked.closed || (closedOneIn > 0 && random.nextInt(closedOneIn) == 0))) {
                list.add(tracked.socket);
            }
        }
        return list;
    }

    private String names(List<Socket> sockets) {
        StringBuilder names = new StringBuilder("[");
        for (Socket socket : sockets) {
            for (TrackedSocket tracked : slots) {
                if (tracked != null && tracked.socket.equals(socket)) {
                    names.append(names.length() > 1 ? " " : "").append(Slot.name(tracked.slot));
                    break;
                }
            }
        }
        return names.append(']').toString();
    }

    /** Closes all sockets, streams with a reset, so that nothing of a script lingers in the kernel. */
    @Override
    public void close() throws IOException {
        try (poller) {
            for (TrackedSocket tracked : slots) {
                if (tracked != null && !tracked.closed) {
                    try {
                        tracked.socket.setOption(StandardSocketOptions.SO_LINGER, 0);
                    } catch (IOException | UnsupportedOperationException e) {
                        // Not a stream, or already disconnected: nothing lingers.
                    }
                    tracked.socket.close();
                }
            }
        }
    }
}
