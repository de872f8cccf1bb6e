package io.trivet.scenarios;

import io.trivet.net.Interest;
import io.trivet.net.Loop;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.UdpSocket;
import io.trivet.sim.Fault;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Datagrams from one of the clients' hosts to another, and their checks: each arrives complete, and as often as the faults allow.
 * They test the simulated network, not the server.
 */
final class UdpTraffic implements Loop {
    private static final int PORT = 9;
    private static final int DATAGRAM_BYTES_MAX = 2048;

    private final RunContext context;
    private final UdpSocket sender;
    private final UdpSocket receiver;
    private final InetSocketAddress to;
    private final Poller poller;
    private final ReadyEvents events = new ReadyEvents(4);
    private final ByteBuffer memory = ByteBuffer.allocate(DATAGRAM_BYTES_MAX);
    private int sent;
    private int received;
    private int last = -1;

    UdpTraffic(RunContext context, SimHost from, SimHost home) throws IOException {
        this.context = context;
        to = new InetSocketAddress(home.address(), PORT);
        sender = from.udp(new InetSocketAddress(from.address(), PORT));
        receiver = home.udp(to);
        poller = home.poller();
        poller.register(receiver, Interest.READ, 0);
    }

    /** Sends another datagram, unless the call would block. */
    void send(int size) throws IOException {
        context.operations++;
        if (sender.send(ByteBuffer.wrap(content(sent, size)), to)) {
            sent++;
        }
    }

    private static byte[] content(int number, int size) {
        String name = "d" + number;
        return MessageContent.of(name, Math.max(size, MessageContent.lengthMin(name)), ClientFraming.LINES);
    }

    @Override
    public int turn() throws IOException {
        int done = poller.poll(events, 0);
        while (receiver.receive(memory.clear()) != null) {
            context.operations++;
            context.progress++;
            done++;
            check(Arrays.copyOf(memory.array(), memory.position()));
        }
        context.failures.abortIfFailed();
        return done;
    }

    private void check(byte[] bytes) {
        received++;
        String name = MessageContent.nameOf(bytes);
        int number = name.matches("d\\d+") ? Integer.parseInt(name.substring(1)) : sent;
        if (number >= sent || !Arrays.equals(bytes, content(number, bytes.length))) {
            context.failures.report(Rule.BYTES, "a datagram arrives that was not sent: " + InputChecker.shown(bytes));
        } else if (number <= last && !context.hasFired(Fault.DATAGRAM_LATE) && !context.hasFired(Fault.DATAGRAM_DUPLICATED)) {
            context.failures.report(Rule.ORDER, "a datagram arrives behind a later one, although none was late");
        }
        last = number;
    }

    /** Checks that all datagrams have arrived. Called at the end of a run. */
    void checkAll() {
        long expected = sent - context.countFired(Fault.DATAGRAM_LOST) + context.countFired(Fault.DATAGRAM_DUPLICATED);
        if (received != expected) {
            context.failures.report(Rule.DELIVERY, received + " datagrams have arrived, instead of " + expected);
        }
    }

    void close() throws IOException {
        poller.close();
        sender.close();
        receiver.close();
    }

    @Override
    public long nextDeadline() {
        return NO_DEADLINE;
    }
}
