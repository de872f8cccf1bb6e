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

/** Performs a script on a network, and writes down what every step gave and what was ready afterwards. */
final class Actor implements AutoCloseable {
    private static final int LOOKS_MAX = 10;
    /** As many descriptors as a script can have open, and an even number. */
    private static final int NUMBERS = (Slot.COUNT + 1) / 2 * 2;
    private static final int BYTES_MAX = 1 << 17;
    /** A SYN without an answer is sent again after a second. */
    private static final long CONNECT_AGAIN_NANOS = 900_000_000;
    /** What streams send, each byte by its place in the stream: a byte that is lost or repeated is seen. A prime number of them. */
    private static final byte[] LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678".getBytes(
            java.nio.charset.StandardCharsets.US_ASCII);
    private static final byte[] URGENT_LETTERS = "!#$%&*+=?@".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    private static final int SHOWN_MAX = 24;
    /** So often the engine itself is asked for the three lists, also where another gives the same answer for less. */
    private static final int FRESH_POLLER_ONE_IN = 8;

    private final Network network;
    /** Who is asked after each step what stands in which list. */
    private final Network lister;
    private final InetAddress host;
    private final Settling settling;
    private final boolean hasUrgentData;
    private final boolean asNio;
    private final Poller poller;
    private final ReadyEvents ready = new ReadyEvents(Slot.COUNT + 1);
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BYTES_MAX);

    private final @Nullable Held[] held = new Held[Slot.COUNT];
    private final @Nullable InetSocketAddress[] addresses = new InetSocketAddress[Slot.COUNT];
    private final Map<Integer, Held> clientsByPort = new HashMap<>();
    private final Socket[] asked = new Socket[Slot.COUNT];
    private final int[] interests = new int[Slot.COUNT];
    /** The numbers that were free at first, the lowest first; empty: there are none to be had. */
    private final int[] numbers;
    private int taken;
    private int asks;
    private int unsettled;
    private final long begun = System.nanoTime();
    private boolean hasConnecting;
    private int inTime;

    /**
     * A network, an address of it that nobody else uses meanwhile, how it comes to rest, and whether it is java.nio,
     * or is compared with that.
     */
    Actor(Network network, InetAddress host, Settling settling, boolean asNio) throws IOException {
        this.network = network;
        this.lister = network.name().equals("epoll") ? Network.named("poll") : network; // a new epoll each time costs more than all the rest
        this.host = host;
        this.settling = settling;
        this.asNio = asNio;
        this.hasUrgentData = network.supports(Capability.URGENT_DATA) && !asNio;
        this.poller = network.poller();
        this.numbers = asNio ? new int[0] : freeNumbers();
    }

    /** Which numbers come next, as long as nobody else opens or closes anything: in a process that has done other things, there may be gaps. */
    private int[] freeNumbers() throws IOException {
        int[] free = new int[NUMBERS];
        List<Pipe> pipes = new ArrayList<>();
        for (int i = 0; i < NUMBERS; i += 2) {
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

    /** Which of the numbers that were free at first a socket has: of those that are free now, the kernel gives the lowest. */
    private String number(Socket socket) {
        return numbers.length == 0 ? "" : " #" + Arrays.binarySearch(numbers, socket.fd());
    }

    /** How many steps were over before a connect that found a backlog full may have been tried again. */
    int inTime() {
        return inTime;
    }

    /** How many steps did not come to rest. */
    int unsettled() {
        return unsettled;
    }

    /** Performs all; before each step somebody is told its index. */
    List<Answer> perform(List<Step> steps, IntConsumer before) throws IOException {
        List<Answer> answers = new ArrayList<>(steps.size());
        for (int i = 0; i < steps.size(); i++) {
            before.accept(i);
            Answer answer = perform(steps.get(i));
            answers.add(answer);
            hasConnecting |= hasConnecting(answer);
            if (!hasConnecting || System.nanoTime() - begun < CONNECT_AGAIN_NANOS) {
                inTime = i + 1;
            }
        }
        return answers;
    }

    /** Whether a client stands in no list, since nobody has answered it. */
    private boolean hasConnecting(Answer answer) {
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_SERVER; slot++) {
            Held one = held[slot];
            if (one != null && answer.lists()[slot] == 0 && one.sent == 0) {
                return true;
            }
        }
        return false;
    }

    private Answer perform(Step step) throws IOException {
        taken = -1;
        String result;
        try {
            result = tryTo(step);
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
        int left = LOOKS_MAX;
        do { // what arrives between one question and the next would be known to one answer, and not to the other
            if (!settling.settle(held)) {
                unsettled++;
            }
            accounts = settling.accounts(held);
            lists = lists();
            events = events();
        } while ((settling.hasMoved(held) || !Arrays.equals(accounts, settling.accounts(held))) && --left > 0);
        return new Answer(result, lists, events, taken, arrived(), accounts, cutShort(), endHeldBack());
    }

    private String tryTo(Step step) throws IOException {
        int slot = step.slot();
        int value = step.value();
        return switch (step.op()) {
            case LISTEN -> listen(slot, value);
            case CONNECT -> connect(slot, value);
            case UDP_OPEN -> openDatagram(slot);
            case PIPE_OPEN -> openPipe();
            case SELECT -> select(value);
            default -> {
                Held one = held[slot];
                yield one == null ? Answer.NOTHING : tryTo(step.op(), one, value);
            }
        };
    }

    private String tryTo(Step.Op op, Held one, int value) throws IOException {
        boolean ends = op == Step.Op.CLOSE || op == Step.Op.RESET || op == Step.Op.SHUTDOWN_INPUT
                || op == Step.Op.SHUTDOWN_OUTPUT;
        if (ends && one.peer != null && one.peer.arrived < one.peer.sent && !one.over && !one.closed) {
            one.cutShort = true;
            one.peer.cutShort = true;
        }
        if (one.refused && op != Step.Op.CLOSE) {
            return Answer.NOTHING;
        }
        if (asNio && one.finished && !one.closed && (op == Step.Op.WRITE || op == Step.Op.GATHER)) {
            return "EPIPE"; // the JDK does not ask the kernel any more
        }
        return switch (op) {
            case FINISH_CONNECT -> one.stream().finishConnect() ? "connected" : "connecting";
            case ACCEPT -> accept(one);
            case READ -> read(one, value);
            case WRITE -> write(one, value);
            case GATHER -> gather(one, value);
            case SEND_URGENT -> sendUrgent(one);
            case RECEIVE_URGENT -> {
                int urgent = one.stream().receiveUrgent();
                yield urgent < 0 ? "none" : String.valueOf((char) urgent);
            }
            case AT_MARK -> one.stream().atMark() ? "at the mark" : "not at the mark";
            case SHUTDOWN_INPUT -> {
                one.stream().shutdownInput();
                yield "ok";
            }
            case SHUTDOWN_OUTPUT -> {
                endOutput(one);
                yield "ok";
            }
            case CLOSE -> close(one);
            case RESET -> {
                one.stream().setOption(StandardSocketOptions.SO_LINGER, 0);
                one.watched = false;
                yield close(one);
            }
            case RECEIVE_LOW_WATER -> option(one, TcpOptions.RECEIVE_LOW_WATER, value);
            case NOT_SENT_LOW_WATER -> option(one, TcpOptions.NOT_SENT_LOW_WATER, value);
            case URGENT_INLINE -> option(one, TcpOptions.URGENT_INLINE, value != 0);
            case SEND_BUFFER -> option(one, StandardSocketOptions.SO_SNDBUF, value);
            case RECEIVE_BUFFER -> option(one, StandardSocketOptions.SO_RCVBUF, value);
            case UDP_CONNECT -> {
                InetSocketAddress peer = addresses[value];
                if (peer == null) {
                    yield Answer.NOTHING;
                }
                ((UdpSocket) one.socket).connect(peer);
                one.sent = 1;
                yield "ok";
            }
            case UDP_SEND -> sendDatagram(one, value);
            case UDP_RECEIVE -> receiveDatagram(one, value);
            case REGISTER -> {
                poller.register(one.socket, value & possible(one.slot), one.slot);
                one.watched = true;
                yield "ok";
            }
            case MODIFY -> {
                poller.modify(one.socket, value & possible(one.slot), one.slot);
                yield "ok";
            }
            case DEREGISTER -> {
                poller.deregister(one.socket);
                yield "ok";
            }
            case LISTEN, CONNECT, UDP_OPEN, PIPE_OPEN, SELECT -> throw new AssertionError(op);
        };
    }

    // Opening.

    private boolean isFree(int slot) {
        Held one = held[slot];
        return one == null || one.closed;
    }

    private String listen(int slot, int backlog) throws IOException {
        if (!isFree(slot)) {
            return Answer.NOTHING;
        }
        TcpListener listener = network.listen(new InetSocketAddress(host, 0), backlog);
        held[slot] = new Held(listener, slot);
        addresses[slot] = listener.localAddress();
        return "ok" + number(listener);
    }

    private String connect(int slot, int to) throws IOException {
        InetSocketAddress address = addresses[to];
        if (!isFree(slot) || address == null) {
            return Answer.NOTHING;
        }
        TcpStream stream = network.connect(address);
        stream.setOption(StandardSocketOptions.TCP_NODELAY, true); // else a byte waits for an acknowledgement that is late by design
        Held one = new Held(stream, slot);
        held[slot] = one;
        one.refused = asNio && !hasConnected(stream);
        if (!one.refused) {
            clientsByPort.put(stream.localAddress().getPort(), one);
        }
        return "ok" + number(stream);
    }

    /** java.nio wants to be asked before it calls a stream connected, and closes one that was refused. */
    private static boolean hasConnected(TcpStream stream) throws IOException {
        try {
            return stream.finishConnect();
        } catch (NetworkException e) {
            return false;
        }
    }

    private String accept(Held listener) throws IOException {
        int slot = Slot.FIRST_SERVER;
        while (!isFree(slot)) {
            if (++slot == Slot.FIRST_SERVER + Slot.CONNECTIONS) {
                return Answer.NOTHING;
            }
        }
        TcpStream stream = ((TcpListener) listener.socket).accept();
        if (stream == null) {
            return "no one";
        }
        stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
        Held one = new Held(stream, slot);
        held[slot] = one;
        Held client = clientsByPort.get(stream.remoteAddress().getPort());
        if (client == null) {
            return Slot.name(slot) + " from a stranger" + number(stream);
        }
        one.peer = client;
        client.peer = one;
        return Slot.name(slot) + " from " + Slot.name(client.slot) + (held[client.slot] == client ? "" : " before")
                + number(stream);
    }

    private String openDatagram(int slot) throws IOException {
        if (!isFree(slot)) {
            return Answer.NOTHING;
        }
        UdpSocket socket = network.udp(new InetSocketAddress(host, 0));
        held[slot] = new Held(socket, slot);
        addresses[slot] = socket.localAddress();
        return "ok" + number(socket);
    }

    private String openPipe() throws IOException {
        if (!isFree(Slot.SOURCE) || !isFree(Slot.SINK)) {
            return Answer.NOTHING;
        }
        Pipe pipe = network.pipe();
        held[Slot.SOURCE] = new Held(pipe.source(), Slot.SOURCE);
        held[Slot.SINK] = new Held(pipe.sink(), Slot.SINK);
        return "ok" + number(pipe.source()) + number(pipe.sink());
    }

    private String close(Held one) throws IOException {
        if (!one.closed && poller.registration(one.socket) != null) {
            poller.deregister(one.socket);
        }
        if (asNio && one.watched && one.socket instanceof TcpStream) {
            endOutput(one); // so the JDK closes a stream that a selector has known
        }
        one.socket.close();
        if (!one.closed) {
            one.closed = true;
            one.finished = true;
            Held peer = one.peer;
            if (peer != null) {
                peer.sentBeforePeerClosed = peer.sent;
            }
        }
        return "ok";
    }

    private void endOutput(Held one) throws IOException {
        try {
            one.stream().shutdownOutput();
            one.finished = true;
        } catch (NetworkException e) {
            if (!asNio || e.code() != ErrorCode.ENOTCONN) {
                throw e;
            }
            one.finished = true; // the JDK does not tell
        }
    }

    // Bytes.

    private String read(Held one, int count) throws IOException {
        buffer.clear().limit(Math.min(count, BYTES_MAX));
        int read = switch (one.socket) {
            case TcpStream stream -> stream.read(buffer);
            case Pipe.Source source -> source.read(buffer);
            default -> throw new AssertionError(one.socket);
        };
        return read < 0 ? "end" : read == 0 ? "would block" : show(read);
    }

    private String write(Held one, int count) throws IOException {
        fill(one, count);
        taken = 0;
        taken = switch (one.socket) {
            case TcpStream stream -> stream.write(buffer);
            case Pipe.Sink sink -> sink.write(buffer);
            default -> throw new AssertionError(one.socket);
        };
        one.sent += taken;
        return "took " + taken;
    }

    private String gather(Held one, int count) throws IOException {
        fill(one, count);
        ByteBuffer[] parts = {buffer.slice(0, count / 3), buffer.slice(count / 3, buffer.limit() - count / 3)};
        taken = 0;
        taken = (int) one.stream().write(parts, 0, 2);
        one.sent += taken;
        return "took " + taken;
    }

    private void fill(Held one, int count) {
        buffer.clear();
        for (int i = 0; i < Math.min(count, BYTES_MAX); i++) {
            buffer.put(LETTERS[(int) ((one.sent + i) % LETTERS.length)]);
        }
        buffer.flip();
    }

    private String sendUrgent(Held one) throws IOException {
        taken = 0;
        taken = one.stream().sendUrgent(URGENT_LETTERS[(int) (one.sent % URGENT_LETTERS.length)]) ? 1 : 0;
        one.sent += taken;
        return "took " + taken;
    }

    /** Where the value has the bit 2, to the connected peer if there is one; else to the first or the second by its parity. */
    private String sendDatagram(Held one, int value) throws IOException {
        boolean toPeer = one.sent != 0 && (value & 2) != 0;
        InetSocketAddress address = addresses[Slot.FIRST_DATAGRAM + (value & 1)];
        if (!toPeer && address == null) {
            return Answer.NOTHING;
        }
        buffer.clear();
        for (int i = 0; i < value; i++) {
            buffer.put(LETTERS[(i + value) % LETTERS.length]);
        }
        return ((UdpSocket) one.socket).send(buffer.flip(), toPeer ? null : address) ? "sent" : "would block";
    }

    private String receiveDatagram(Held one, int count) throws IOException {
        buffer.clear().limit(count);
        InetSocketAddress from = ((UdpSocket) one.socket).receive(buffer);
        if (from == null) {
            return "would block";
        }
        for (int slot = Slot.FIRST_DATAGRAM; slot < Slot.SOURCE; slot++) {
            if (from.equals(addresses[slot])) {
                return show(buffer.position()) + " from " + Slot.name(slot);
            }
        }
        return show(buffer.position()) + " from one that is gone";
    }

    /** So many bytes from the buffer, and what is in them. */
    private String show(int count) {
        byte[] first = new byte[Math.min(count, SHOWN_MAX)];
        buffer.get(0, first);
        int sum = 1;
        for (int i = first.length; i < count; i++) {
            sum = 31 * sum + buffer.get(i);
        }
        return count + " " + new String(first, java.nio.charset.StandardCharsets.ISO_8859_1)
                + (count > SHOWN_MAX ? "… " + Integer.toHexString(sum) : "");
    }

    private <T> String option(Held one, java.net.SocketOption<T> option, T value) throws IOException {
        one.socket.setOption(option, value);
        return asNio ? "set" : "is " + one.socket.getOption(option); // the JDK does not tell that Linux doubles sizes
    }

    // Readiness.

    private byte[] lists() throws IOException {
        byte[] lists = new byte[Slot.COUNT];
        int count = 0;
        for (int slot = 0; slot < Slot.COUNT; slot++) {
            Held one = held[slot];
            if (one == null || one.closed) {
                lists[slot] = -1;
            } else {
                asked[count] = one.socket;
                interests[count++] = possible(slot);
            }
        }
        (++asks % FRESH_POLLER_ONE_IN == 0 ? network : lister).selectOnce(asked, interests, count, 0);
        count = 0;
        for (int slot = 0; slot < Slot.COUNT; slot++) {
            if (lists[slot] == 0) {
                lists[slot] = (byte) interests[count++];
            }
        }
        return lists;
    }

    /** In which lists a socket can stand at all: java.nio knows no errors of a pipe's sink, for instance. */
    private int possible(int slot) {
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

    private int cutShort() {
        int cut = 0;
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            Held one = held[slot];
            cut |= one != null && one.cutShort ? 1 << slot : 0;
        }
        return cut;
    }

    private int endHeldBack() {
        int heldBack = 0;
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            Held one = held[slot];
            heldBack |= one != null && one.endHeldBack ? 1 << slot : 0;
        }
        return heldBack;
    }

    private long[] arrived() {
        long[] arrived = new long[Slot.COUNT];
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            Held one = held[slot];
            arrived[slot] = one == null ? 0 : Math.min(one.arrived, one.sent); // the end of the output is not counted
        }
        return arrived;
    }

    private String select(int value) throws IOException {
        SplittableRandom random = new SplittableRandom(value);
        int closedOneIn = random.nextInt(8) == 0 ? 4 : 0;
        List<Socket> reading = drawList(random, closedOneIn, Interest.READ);
        List<Socket> writing = drawList(random, closedOneIn, Interest.WRITE);
        List<Socket> urgent = hasUrgentData ? drawList(random, closedOneIn, Interest.PRIORITY) : List.of();
        Ready<Socket> answer = Select.on(network).select(reading, writing, urgent, Duration.ZERO);
        return "r" + names(answer.readable()) + " w" + names(answer.writable()) + " x" + names(answer.exceptional());
    }

    private List<Socket> drawList(SplittableRandom random, int closedOneIn, int interest) {
        List<Socket> list = new ArrayList<>();
        for (int i = random.nextInt(2 * Slot.COUNT); i > 0; i--) {
            Held one = held[random.nextInt(Slot.COUNT)];
            if (one != null && (possible(one.slot) & interest) != 0
                    && (!one.closed || (closedOneIn > 0 && random.nextInt(closedOneIn) == 0))) {
                list.add(one.socket);
            }
        }
        return list;
    }

    private String names(List<Socket> sockets) {
        StringBuilder names = new StringBuilder("[");
        for (Socket socket : sockets) {
            for (Held one : held) {
                if (one != null && one.socket.equals(socket)) {
                    names.append(names.length() > 1 ? " " : "").append(Slot.name(one.slot));
                    break;
                }
            }
        }
        return names.append(']').toString();
    }

    /** Closes what is open, streams by a reset: nothing of a script shall linger in the kernel. */
    @Override
    public void close() throws IOException {
        try (poller) {
            for (Held one : held) {
                if (one != null && !one.closed) {
                    try {
                        one.socket.setOption(StandardSocketOptions.SO_LINGER, 0);
                    } catch (IOException | UnsupportedOperationException e) {
                        // It is no stream, or its connection is over: then there is nothing to be cut short.
                    }
                    one.socket.close();
                }
            }
        }
    }
}
