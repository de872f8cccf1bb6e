package io.trivet.scenarios;

import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import io.trivet.net.Poller;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.sim.Fault;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One client: goes through its script on a socket of its own, writes and reads as fast as it is its manner, and sees how it ends. */
final class Peer {
    private static final int PORT_MIN = 20_000;

    /** How it ended, as the client saw it. */
    enum End {
        NONE,
        /** Nobody was there. */
        NOT_CONNECTED,
        /** The server ended its output, and so did we. */
        FINISHED,
        /** The connection was cut. */
        CUT,
        /** We hung up, or reset. */
        OWN
    }

    final Scene scene;
    final PeerPlan plan;
    final House house;
    final Said said;
    @Nullable Ledger ledger;
    /** How often it was called once more. */
    int callsAgain;
    /** Ordinary bytes that the kernel has taken. */
    int written;
    /** Ordinary bytes that it has read, and when it read the last of them. */
    long bytesRead;
    long lastReadNanos;
    /** When it last wrote something, or ended its output. */
    long lastWriteNanos;
    int urgentsSent;
    /** How many ordinary bytes went before the last urgent one; -1: there was none. */
    int writtenBeforeUrgent = -1;
    /** Where its end of the connection is: by that it is known what the net did to it. */
    private @Nullable InetSocketAddress place;
    End end = End.NONE;
    @Nullable ErrorCode cutBy;
    /** Bytes of a message that was not whole at the end. */
    int bytesCutOff;
    long endedNanos;

    private final SimHost host;
    private final Poller poller;
    private final Guests guests;
    private final Peers loop;
    private final int token;
    private final OutputJudge judge;
    private @Nullable TcpListener listener;
    private @Nullable TcpStream stream;
    private boolean connected;
    private boolean begun;
    /** It could not even begin to connect. */
    private boolean hasNoSocket;
    private boolean healed;
    private int nextStep;
    private long stepNanos;
    private long dueNanos;
    private long readNanos;
    private long writeNanos;
    private boolean finishes;
    private boolean finishedOutput;
    private boolean inputEnded;
    private boolean cutOff;
    /** Its own system cannot watch its socket: it hangs up. */
    private boolean gaveUp;
    private int watched = -1;

    Peer(Scene scene, PeerPlan plan, House house, SimHost host, Poller poller, Guests guests, Peers loop, int token) {
        this.scene = scene;
        this.plan = plan;
        this.house = house;
        this.host = host;
        this.poller = poller;
        this.guests = guests;
        this.loop = loop;
        this.token = token;
        said = new Said(house.plan.frames());
        judge = new OutputJudge(scene, this);
        stepNanos = plan.startNanos();
        dueNanos = plan.startNanos();
    }

    /** Where it is called. */
    InetSocketAddress address() {
        return new InetSocketAddress(host.address(), PORT_MIN + plan.number());
    }

    boolean isOver() {
        return end != End.NONE;
    }

    /** Whether a server may be told the end of its input. */
    boolean outputEnded() {
        return finishedOutput || end == End.OWN || end == End.FINISHED || gaveUp;
    }

    /** Whether it has reset, hung up, or was cut itself: then a server may see a reset. */
    boolean hasCutOff() {
        return cutOff;
    }

    /** Whether the server has closed without reading all that it had sent. */
    boolean wasLeftUnread() {
        return place != null && scene.network.leftUnread(place);
    }

    /** Whether the net has done that to its connection. */
    boolean isStruckBy(Fault kind) {
        return place != null && scene.network.faultsOf(place).contains(kind);
    }

    OutputJudge judge() {
        return judge;
    }

    // ---- its turn

    /** When it has something to do by itself; {@link Loop#NO_DEADLINE}: it waits for others. */
    long nextNanos() {
        return dueNanos;
    }

    private void due(long nanos) {
        if (nanos != dueNanos) {
            dueNanos = nanos;
            loop.dueChanged();
        }
    }

    private long dueNext() {
        if (isOver() || (begun && !connected)) {
            return Loop.NO_DEADLINE;
        }
        if (!begun) {
            return plan.startNanos();
        }
        long next = Loop.NO_DEADLINE;
        if (nextStep < plan.steps().size() && !healed && !finishes) {
            next = stepNanos;
        }
        if (scene.now() < readNanos && !inputEnded) {
            next = Math.min(next, readNanos);
        }
        if (scene.now() < writeNanos && written < said.length()) {
            next = Math.min(next, writeNanos);
        }
        return next;
    }

    /** Does what it is time for. */
    int takeTurn() {
        if (isOver() || scene.now() < plan.startNanos()) {
            return 0;
        }
        int done = 0;
        try {
            if (!begun) {
                begin();
                done++;
            }
            while (connected && !isOver() && !healed && !finishes && nextStep < plan.steps().size() && stepNanos <= scene.now()) {
                Step step = plan.steps().get(nextStep++);
                perform(step.deed());
                if (nextStep < plan.steps().size()) {
                    stepNanos = scene.now() + plan.steps().get(nextStep).afterNanos();
                }
                done++;
            }
            watch();
        } catch (IOException e) {
            cut(e);
            done++;
        }
        due(dueNext());
        return done;
    }

    private void begin() throws IOException {
        begun = true;
        scene.tally.add("client", plan.manner());
        if (plan.called()) {
            place = address();
            if (plan.listens()) {
                listener = host.listen(address(), 4);
                poller.register(listener, Interest.READ, token);
            }
            house.call(this);
            house.asked();
            if (ledger == null || !plan.listens()) {
                end(End.NOT_CONNECTED, "is not there");
            }
            return;
        }
        TcpStream begunStream;
        try {
            begunStream = host.connect(house.address);
        } catch (IOException e) {
            hasNoSocket = true;
            end(End.NOT_CONNECTED, "cannot connect: " + e.getMessage());
            return;
        }
        stream = begunStream;
        place = begunStream.localAddress();
        guests.add(place, this);
        prepare(begunStream);
        tell("connects from " + begunStream.localAddress().getPort());
        poller.register(begunStream, Interest.WRITE, token);
        watched = Interest.WRITE;
    }

    private void prepare(TcpStream fresh) throws IOException {
        if (plan.bufferBytes() > 0) {
            fresh.setOption(StandardSocketOptions.SO_RCVBUF, plan.bufferBytes());
            fresh.setOption(StandardSocketOptions.SO_SNDBUF, plan.bufferBytes());
        }
    }

    private void perform(Deed deed) throws IOException {
        scene.operations++;
        scene.progress++;
        if (scene.timeline.isTold()) {
            tell(deed.toString());
        }
        switch (deed) {
            case Deed.Say say -> say.asks().forEach(said::say);
            case Deed.SayTooLong tooLong -> said.sayWithoutEffect(tooLong.length(), Integer.MAX_VALUE);
            case Deed.SayPart part -> said.sayWithoutEffect(part.length(), part.sent());
            case Deed.Urgent urgent -> {
                if (!finishedOutput && open().sendUrgent((byte) (Content.URGENT_MIN + urgentsSent % 100))) {
                    urgentsSent++;
                    writtenBeforeUrgent = written;
                }
            }
            case Deed.Rest rest -> readNanos = scene.now() + rest.nanos();
            case Deed.Finish finish -> finishes = true;
            case Deed.HangUp hangUp -> {
                cutOff = true; // what was not read resets it
                end(End.OWN, "hangs up");
            }
            case Deed.Reset reset -> {
                cutOff = true;
                open().setOption(StandardSocketOptions.SO_LINGER, 0);
                end(End.OWN, "resets");
            }
        }
    }

    // ---- readiness

    void ready(int events) {
        scene.progress++;
        try {
            if (isOver()) {
                return;
            }
            if (stream == null) {
                accept();
            } else if (!connected) {
                if (open().finishConnect()) {
                    begins();
                }
            } else {
                if ((events & Interest.PRIORITY) != 0 && plan.takesUrgent()) {
                    judge.urgent(open().receiveUrgent());
                }
                if (Interest.fold(events, Interest.READ) != 0 && readsNow()) {
                    read();
                }
                if (!isOver() && Interest.fold(events, Interest.WRITE) != 0) {
                    write();
                }
            }
            watch();
        } catch (IOException e) {
            cut(e);
        }
        due(dueNext());
    }

    private void accept() throws IOException {
        TcpStream accepted;
        try {
            accepted = Objects.requireNonNull(listener).accept();
        } catch (NetworkException e) { // out of descriptors, or of memory: whoever waits goes on waiting
            return;
        }
        if (accepted != null) {
            poller.deregister(listener);
            listener.close();
            listener = null;
            stream = accepted;
            poller.register(accepted, 0, token);
            watched = 0;
            prepare(accepted);
            begins();
        }
    }

    private void begins() {
        connected = true;
        stepNanos = scene.now() + (plan.steps().isEmpty() ? 0 : plan.steps().getFirst().afterNanos());
        tell("is connected");
        if (healed) {
            finishes = true;
        }
    }

    private void read() throws IOException {
        scene.operations++;
        ByteBuffer memory = scene.reading;
        memory.clear().limit(Math.min(memory.capacity(), healed ? Integer.MAX_VALUE : plan.pace().readBytesMax()));
        int bytes = open().read(memory);
        if (bytes > 0) {
            bytesRead += bytes;
            lastReadNanos = scene.now();
            if (scene.timeline.isTold()) {
                tell("reads " + bytes + " bytes");
            }
            judge.received(memory.flip());
            if (!healed && plan.pace().readGapNanos() > 0) {
                readNanos = scene.now() + plan.pace().readGapNanos();
            }
        } else if (bytes < 0) {
            tell("reads the end");
            inputEnded = true;
            bytesCutOff = judge.left();
            finishes = true; // the server has ended: there is nobody left to talk to
        }
    }

    private void write() throws IOException {
        if (written < said.length() && scene.now() >= writeNanos) {
            scene.operations++;
            int most = healed ? Integer.MAX_VALUE : plan.pace().writeBytesMax();
            int bytes = open()
                    .write(said.bytes(written, Math.min(said.length(), written + Math.min(most, said.length() - written))));
            written += bytes;
            lastWriteNanos = bytes > 0 ? scene.now() : lastWriteNanos;
            if (bytes > 0 && scene.timeline.isTold()) {
                tell("writes " + bytes + " bytes");
            }
            if (!healed && plan.pace().writeGapNanos() > 0) {
                writeNanos = scene.now() + plan.pace().writeGapNanos();
            }
        }
    }

    /** Ends what is to be ended, and watches for what is waited for. */
    private void watch() throws IOException {
        if (isOver() || stream == null) {
            return;
        }
        if (connected) {
            if (finishes && !finishedOutput && written == said.length()) {
                tell("has ended its output");
                finishedOutput = true;
                lastWriteNanos = scene.now();
                open().shutdownOutput();
            }
            if (finishedOutput && inputEnded) {
                end(End.FINISHED, "is done");
                return;
            }
        }
        int interest = interest();
        if (interest != watched) {
            watched = interest;
            poller.modify(open(), interest, token);
        }
    }

    private int interest() {
        if (!connected) {
            return Interest.WRITE;
        }
        int interest = 0;
        if (!inputEnded && readsNow()) {
            interest |= Interest.READ | (plan.takesUrgent() ? Interest.PRIORITY : 0);
        }
        if (written < said.length() && scene.now() >= writeNanos) {
            interest |= Interest.WRITE;
        }
        return interest;
    }

    private boolean readsNow() {
        return healed || (plan.manner() != Manner.NEVER_READS && scene.now() >= readNanos);
    }

    // ---- the end

    /** From now on it reads and writes as fast as it can, says nothing more, and ends its output. */
    void heal() {
        healed = true;
        readNanos = 0;
        writeNanos = 0;
        if (isOver()) {
            return;
        }
        if (!begun || (plan.called() && stream == null && (ledger == null || ledger.isOver()))) {
            end(End.NOT_CONNECTED, "stays away");
            return;
        }
        finishes = connected;
        try {
            watch();
        } catch (IOException e) {
            cut(e);
        }
        due(dueNext());
    }

    /** Whether it has tried to connect. */
    boolean hasTried() {
        return begun && !hasNoSocket;
    }

    /** Whether it waits to be called, and to no call it has answered. */
    boolean awaitsCall() {
        return begun && stream == null && !isOver() && plan.listens();
    }

    /** Whether it listens no more, so that whoever calls is refused. */
    boolean listensNoMore() {
        return begun && (listener == null || isOver());
    }

    /** One that is called, and whose call has failed, waits for nobody. */
    void callFailed() {
        if (!isOver() && plan.called() && stream == null) {
            end(End.NOT_CONNECTED, "was not reached");
        }
    }

    private void cut(IOException failure) {
        if (isOver()) {
            return;
        }
        ErrorCode code = failure instanceof NetworkException e ? e.code() : null;
        boolean expected = code != null && switch (code) {
            case ECONNRESET, EPIPE, ECONNREFUSED, ETIMEDOUT, ECONNABORTED, EHOSTUNREACH, ENETUNREACH, ENOTCONN -> true;
            case ENOMEM, ENOSPC -> isStruckBy(Fault.WATCH_REFUSED);
            default -> false;
        };
        if (!expected) {
            scene.findings.report(Rule.CRASH, "client " + plan.number() + " fails", failure);
        }
        cutBy = code;
        cutOff = true;
        gaveUp = code == ErrorCode.ENOMEM || code == ErrorCode.ENOSPC;
        if (connected) {
            bytesCutOff = judge.left();
        }
        end(connected ? gaveUp ? End.OWN : End.CUT : End.NOT_CONNECTED, "is cut off: " + failure.getMessage());
    }

    private void end(End how, String told) {
        scene.operations++;
        end = how;
        due(Loop.NO_DEADLINE);
        endedNanos = scene.now();
        scene.progress++;
        tell(told);
        scene.tally.add("client's end", how);
        close(stream);
        close(listener);
    }

    private void close(io.trivet.net.@Nullable Socket socket) {
        if (socket == null) {
            return;
        }
        try {
            if (poller.registration(socket) != null) {
                poller.deregister(socket);
            }
            socket.close();
        } catch (IOException e) {
            scene.findings.report(Rule.CRASH, "client " + plan.number() + " cannot close", e);
        }
    }

    private TcpStream open() {
        return Objects.requireNonNull(stream);
    }

    private void tell(String what) {
        if (scene.timeline.isTold()) {
            scene.timeline.tell(this + " " + what);
        }
    }

    /** Where it stands, for who asks why nothing happens. */
    String describe() {
        return this + ": " + (connected ? "connected" : begun ? "connecting" : "not there yet") + ", has written " + written
                + " of "
                + said.length() + " bytes" + (finishedOutput ? " and ended its output" : "")
                + (inputEnded ? ", has read the end" : "")
                + ", watches for " + Interest.toString(Math.max(0, watched));
    }

    @Override
    public String toString() {
        return "client " + plan.number();
    }
}
