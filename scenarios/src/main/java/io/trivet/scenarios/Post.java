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
 * Datagrams from one of the clients' hosts to another, and their judge: each comes whole, and as often as it was sent, lost and doubled. No
 * server has to do with them; they are there for the network's sake.
 */
final class Post implements Loop {
    private static final int PORT = 9;
    private static final int DATAGRAM_BYTES_MAX = 2048;

    private final Scene scene;
    private final UdpSocket sender;
    private final UdpSocket receiver;
    private final InetSocketAddress to;
    private final Poller poller;
    private final ReadyEvents events = new ReadyEvents(4);
    private final ByteBuffer memory = ByteBuffer.allocate(DATAGRAM_BYTES_MAX);
    private int sent;
    private int received;
    private int last = -1;

    Post(Scene scene, SimHost from, SimHost home) throws IOException {
        this.scene = scene;
        to = new InetSocketAddress(home.address(), PORT);
        sender = from.udp(new InetSocketAddress(from.address(), PORT));
        receiver = home.udp(to);
        poller = home.poller();
        poller.register(receiver, Interest.READ, 0);
    }

    /** Sends one more, unless the call would block. */
    void send(int size) throws IOException {
        scene.operations++;
        if (sender.send(ByteBuffer.wrap(content(sent, size)), to)) {
            sent++;
        }
    }

    private static byte[] content(int number, int size) {
        String name = "d" + number;
        return Content.of(name, Math.max(size, Content.lengthMin(name)), Frames.LINES);
    }

    @Override
    public int turn() throws IOException {
        int done = poller.poll(events, 0);
        while (receiver.receive(memory.clear()) != null) {
            scene.operations++;
            scene.progress++;
            done++;
            judge(Arrays.copyOf(memory.array(), memory.position()));
        }
        scene.findings.endIfAny();
        return done;
    }

    private void judge(byte[] bytes) {
        received++;
        String name = Content.nameOf(bytes);
        int number = name.matches("d\\d+") ? Integer.parseInt(name.substring(1)) : sent;
        if (number >= sent || !Arrays.equals(bytes, content(number, bytes.length))) {
            scene.findings.report(Rule.BYTES, "a datagram comes that was not sent: " + InputJudge.shown(bytes));
        } else if (number <= last && !scene.fired(Fault.DATAGRAM_LATE) && !scene.fired(Fault.DATAGRAM_DUPLICATED)) {
            scene.findings.report(Rule.ORDER, "a datagram comes behind a later one, and none was late");
        }
        last = number;
    }

    /** Once all must have come. */
    void checkAll() {
        long expected = sent - scene.countFired(Fault.DATAGRAM_LOST) + scene.countFired(Fault.DATAGRAM_DUPLICATED);
        if (received != expected) {
            scene.findings.report(Rule.DELIVERY, received + " datagrams have come, of " + expected);
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
