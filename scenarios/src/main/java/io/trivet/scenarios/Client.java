package io.trivet.scenarios;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import io.trivet.net.Poller;
import io.trivet.net.UnixAddress;
import io.trivet.sim.Fault;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** One client: runs its script on a socket, reads and writes at its pace, and records how the connection ends. */
final class Client {
    private static final int LISTEN_PORT_MIN = 20_000;

    /** How the connection ended, as the client saw it. */
    enum End {
        NONE,
        /** The connection was never established. */
        NOT_CONNECTED,
        /** Both sides ended their output. */
        FINISHED,
        /** The connection failed. */
        FAILED,
        /** The client closed or reset the connection. */
        ABORTED
    }

    final RunContext context;
    final ClientPlan plan;
    final ServerUnderTest server;
    final SentStream sentStream;
    /** The server's side of the connection; null as long as it is unknown. */
    @Nullable ConnectionModel model;
    /** How often the server has connected to this client again. */
    int reconnects;
    /** Ordinary bytes that the kernel has accepted. */
    int written;
    /** The number of bytes read, and the time of the last read. */
    long bytesRead;
    long lastReadNanos;
    /** When bytes were last written, or the output was ended. */
    long lastWriteNanos;
    int urgentsSent;
    /** {@link #written} when the last urgent byte was sent; -1 if none was. */
    int writtenBeforeUrgent = -1;
    End end = End.NONE;
    /** The error that the connection failed with. */
    @Nullable ErrorCode failureCode;
    /** Bytes of an incomplete message at the end. */
    int partialBytes;

    private final SimHost host;
    private final ClientsByAddress clientsByAddress;
    private final ClientLoop loop;
    private final OutputChecker checker;
    private final ClientSocket socket;
    /** The client's address, for which the network records the faults that have affected the connection. */
    private @Nullable InetSocketAddress localAddress;
    private boolean connected;
    private boolean started;
    /** No socket could be opened for the connect. */
    private boolean hasNoSocket;
    private boolean recovering;
    private int nextStep;
    private long stepNanos;
    private long dueNanos;
    private long readNanos;
    private long writeNanos;
    private boolean finishing;
    private boolean finishedOutput;
    private boolean inputEnded;
    private boolean brokeConnection;
    /** The client's host refused to watch the socket (WATCH_REFUSED), so the client closed the connection. */
    private boolean gaveUp;

    Client(RunContext context, ClientPlan plan, ServerUnderTest server, SimHost host, Poller poller,
            ClientsByAddress clientsByAddress, ClientLoop loop, int token) {
        this.context = context;
        this.plan = plan;
        this.server = server;
        this.host = host;
        this.clientsByAddress = clientsByAddress;
        this.loop = loop;
        sentStream = new SentStream(server.plan.framing(), plan.number() % 2 == 1);
        checker = new OutputChecker(context, this);
        socket = new ClientSocket(host, poller, token, plan.bufferBytes());
        stepNanos = plan.startNanos();
        dueNanos = plan.startNanos();
    }

    /** Returns the address that the server connects to. */
    InetSocketAddress listenAddress() {
        return new InetSocketAddress(host.address(), LISTEN_PORT_MIN + plan.number());
    }

    boolean isOver() {
        return end != End.NONE;
    }

    /** Returns true if the server may see the end of its input. */
    boolean outputEnded() {
        return finishedOutput || end == End.ABORTED || end == End.FINISHED || gaveUp;
    }

    /**
     * Returns true if the client has reset or closed the connection, or the connection has failed. The server may then see a
     * reset.
     */
    boolean hasBrokenConnection() {
        return brokeConnection;
    }

    /** Returns true if the client has read the end of its input. The server thereby promises that nothing is missing. */
    boolean hasReadEnd() {
        return inputEnded;
    }

    /** Returns true if the server has closed the connection without reading all bytes that the client had sent. */
    boolean serverLeftBytesUnread() {
        return localAddress != null && context.network.leftUnread(localAddress);
    }

    /** Returns the client's address; null if it has no socket yet. */
    @Nullable
    InetSocketAddress address() {
        return localAddress;
    }

    /** Returns true if the client has connected to a Unix domain socket. Such a connection cannot be reset. */
    boolean isUnix() {
        return localAddress != null && UnixAddress.isUnix(localAddress);
    }

    /** Returns true if a fault of this kind has affected the connection. */
    boolean isAffectedBy(Fault kind) {
        return localAddress != null && context.network.faultsOf(localAddress).contains(kind);
    }

    OutputChecker checker() {
        return checker;
    }

    // ---- the script

    /** Returns when the client has something to do without an event; {@link Loop#NO_DEADLINE} if it waits for events only. */
    long nextNanos() {
        return dueNanos;
    }

    private void setDue(long nanos) {
        if (nanos != dueNanos) {
            dueNanos = nanos;
            loop.dueChanged();
        }
    }

    private long dueNext() {
        if (isOver() || (started && !connected)) {
            return Loop.NO_DEADLINE;
        }
        if (!started) {
            return plan.startNanos();
        }
        long next = Loop.NO_DEADLINE;
        if (hasStepsLeft()) {
            next = stepNanos;
        }
        if (context.now() < readNanos && !inputEnded) {
            next = Math.min(next, readNanos);
        }
        if (context.now() < writeNanos && written < sentStream.length()) {
            next = Math.min(next, writeNanos);
        }
        return next;
    }

    private boolean hasStepsLeft() {
        return nextStep < plan.steps().size() && !recovering && !finishing;
    }

    /** Performs the steps that are due. Returns how many. */
    int turn() {
        if (isOver() || context.now() < plan.startNanos()) {
            return 0;
        }
        int done = 0;
        try {
            if (!started) {
                start();
                done++;
            }
            while (connected && !isOver() && hasStepsLeft() && stepNanos <= context.now()) {
                Step step = plan.steps().get(nextStep++);
                perform(step.action());
                if (nextStep < plan.steps().size()) {
                    stepNanos = context.now() + plan.steps().get(nextStep).afterNanos();
                }
                done++;
            }
            watch();
        } catch (IOException e) {
            fail(e);
            done++;
        }
        setDue(dueNext());
        return done;
    }

    private void start() throws IOException {
        started = true;
        context.tally.add("client", plan.kind());
        if (plan.outgoing()) {
            localAddress = listenAddress();
            if (plan.listens()) {
                socket.listen(listenAddress());
            }
            server.connectTo(this);
            server.wakeSingleLoop();
            if (model == null || !plan.listens()) {
                end(End.NOT_CONNECTED, "does not listen");
            }
            return;
        }
        InetSocketAddress local;
        try {
            local = socket.connect(server.addressFor(plan));
        } catch (IOException e) {
            hasNoSocket = true;
            end(End.NOT_CONNECTED, "cannot connect: " + e.getMessage());
            return;
        }
        localAddress = local;
        clientsByAddress.add(local, this);
        log("connects from " + Addresses.toString(local));
        socket.awaitConnected();
    }

    private void perform(ClientAction action) throws IOException {
        context.operations++;
        context.progress++;
        if (context.timeline.isEnabled()) {
            log(action.toString());
        }
        switch (action) {
            case ClientAction.SendMessages messages -> messages.requests().forEach(sentStream::append);
            case ClientAction.SendOversized oversized -> sentStream.appendIncomplete(oversized.length(), Integer.MAX_VALUE);
            case ClientAction.SendLength announced -> sentStream.appendLength(announced.length());
            case ClientAction.SendMalformed malformed -> sentStream.appendMalformed();
            case ClientAction.SendPartial partial -> sentStream.appendIncomplete(partial.length(), partial.sent());
            case ClientAction.SendUrgent urgent -> {
                byte next = (byte) (MessageContent.URGENT_MIN + urgentsSent % 100);
                if (!finishedOutput && socket.stream().sendUrgent(next)) {
                    urgentsSent++;
                    writtenBeforeUrgent = written;
                }
            }
            case ClientAction.PauseReading pause -> readNanos = context.now() + pause.nanos();
            case ClientAction.FinishOutput finish -> finishing = true;
            case ClientAction.Close close -> {
                brokeConnection = true; // unread bytes make it a reset
                end(End.ABORTED, "has closed the connection");
            }
            case ClientAction.Reset reset -> {
                brokeConnection = true;
                socket.stream().setOption(StandardSocketOptions.SO_LINGER, 0);
                end(End.ABORTED, "has reset the connection");
            }
        }
    }

    // ---- readiness

    void onReady(int events) {
        context.progress++;
        try {
            if (isOver()) {
                return;
            }
            if (!socket.hasStream()) {
                if (socket.accept()) {
                    onConnected();
                }
            } else if (!connected) {
                if (socket.stream().finishConnect()) {
                    onConnected();
                }
            } else {
                if ((events & Interest.PRIORITY) != 0 && plan.receivesUrgent()) {
                    checker.urgent(socket.stream().receiveUrgent());
                }
                if (Interest.fold(events, Interest.READ) != 0 && canRead()) {
                    read();
                }
                if (!isOver() && Interest.fold(events, Interest.WRITE) != 0) {
                    write();
                }
            }
            watch();
        } catch (IOException e) {
            fail(e);
        }
        setDue(dueNext());
    }

    private void onConnected() {
        connected = true;
        stepNanos = context.now() + (plan.steps().isEmpty() ? 0 : plan.steps().getFirst().afterNanos());
        log("is connected");
        if (recovering) {
            finishing = true;
        }
    }

    private void read() throws IOException {
        context.operations++;
        ByteBuffer memory = context.readBuffer;
        memory.clear().limit(Math.min(memory.capacity(), recovering ? Integer.MAX_VALUE : plan.pace().readBytesMax()));
        int bytes = socket.stream().read(memory);
        if (bytes > 0) {
            bytesRead += bytes;
            lastReadNanos = context.now();
            if (context.timeline.isEnabled()) {
                log("reads " + bytes + " bytes");
            }
            checker.received(memory.flip());
            if (!recovering && plan.pace().readGapNanos() > 0) {
                readNanos = context.now() + plan.pace().readGapNanos();
            }
        } else if (bytes < 0) {
            log("reads the end of its input");
            inputEnded = true;
            partialBytes = checker.left();
            finishing = true; // the server has ended its output, so no reply can follow
        }
    }

    private void write() throws IOException {
        if (written < sentStream.length() && context.now() >= writeNanos) {
            context.operations++;
            int bytesMax = recovering ? Integer.MAX_VALUE : plan.pace().writeBytesMax();
            int count = Math.min(bytesMax, sentStream.length() - written);
            int bytes = socket.stream().write(sentStream.bytes(written, written + count));
            written += bytes;
            lastWriteNanos = bytes > 0 ? context.now() : lastWriteNanos;
            if (bytes > 0 && context.timeline.isEnabled()) {
                log("writes " + bytes + " bytes");
            }
            if (!recovering && plan.pace().writeGapNanos() > 0) {
                writeNanos = context.now() + plan.pace().writeGapNanos();
            }
        }
    }

    /**
     * Shuts the output down when everything is written, and ends the client when both directions have ended. Otherwise updates
     * the interest.
     */
    private void watch() throws IOException {
        if (isOver() || !socket.hasStream()) {
            return;
        }
        if (connected) {
            if (finishing && !finishedOutput && written == sentStream.length()) {
                log("has ended its output");
                finishedOutput = true;
                lastWriteNanos = context.now();
                socket.stream().shutdownOutput();
            }
            if (finishedOutput && inputEnded) {
                end(End.FINISHED, "has finished");
                return;
            }
        }
        socket.watch(interest());
    }

    private int interest() {
        if (!connected) {
            return Interest.WRITE;
        }
        int interest = 0;
        if (!inputEnded && canRead()) {
            interest |= Interest.READ | (plan.receivesUrgent() ? Interest.PRIORITY : 0);
        }
        if (written < sentStream.length() && context.now() >= writeNanos) {
            interest |= Interest.WRITE;
        }
        return interest;
    }

    /** Returns the time from which the client reads again; {@link Long#MAX_VALUE} if it never does. */
    long readsFromNanos() {
        return recovering || plan.kind() != ClientKind.NEVER_READS ? readNanos : Long.MAX_VALUE;
    }

    private boolean canRead() {
        return recovering || (plan.kind() != ClientKind.NEVER_READS && context.now() >= readNanos);
    }

    // ---- the end

    /** Starts the recovery phase: the client reads and writes at full speed, sends no further message, and ends its output. */
    void recover() {
        recovering = true;
        readNanos = 0;
        writeNanos = 0;
        if (isOver()) {
            return;
        }
        boolean awaitsNothing = plan.outgoing() && !socket.hasStream() && (model == null || model.isOver());
        if (!started || awaitsNothing) {
            end(End.NOT_CONNECTED, "does not connect any more");
            return;
        }
        finishing = connected;
        try {
            watch();
        } catch (IOException e) {
            fail(e);
        }
        setDue(dueNext());
    }

    /** Returns true if the client has tried to connect. */
    boolean hasTriedToConnect() {
        return started && !hasNoSocket;
    }

    /** Returns true if the client listens and has not accepted a connection. */
    boolean awaitsConnection() {
        return started && !socket.hasStream() && !isOver() && plan.listens();
    }

    /** Returns true if the client has stopped listening, so that another connect is refused. */
    boolean hasStoppedListening() {
        return started && (!socket.isListening() || isOver());
    }

    /** Called when the server's connect has failed: the client stops waiting for it. */
    void connectFailed() {
        if (!isOver() && plan.outgoing() && !socket.hasStream()) {
            end(End.NOT_CONNECTED, "was not reached");
        }
    }

    private void fail(IOException failure) {
        if (isOver()) {
            return;
        }
        ErrorCode code = failure instanceof NetworkException e ? e.code() : null;
        boolean expected = code != null && switch (code) {
            case ECONNRESET, EPIPE, ECONNREFUSED, ETIMEDOUT, ECONNABORTED, EHOSTUNREACH, ENETUNREACH, ENOTCONN -> true;
            case EAGAIN, ENOENT -> isUnix() && !connected; // the backlog is full, or the server has ended
            case ENOMEM, ENOSPC -> isAffectedBy(Fault.WATCH_REFUSED);
            default -> false;
        };
        if (!expected) {
            context.failures.report(Rule.CRASH, this + " fails", failure);
        }
        failureCode = code;
        brokeConnection = true;
        gaveUp = code == ErrorCode.ENOMEM || code == ErrorCode.ENOSPC;
        if (connected) {
            partialBytes = checker.left();
        }
        end(connected ? gaveUp ? End.ABORTED : End.FAILED : End.NOT_CONNECTED, "fails: " + failure.getMessage());
    }

    private void end(End how, String event) {
        context.operations++;
        end = how;
        setDue(Loop.NO_DEADLINE);
        context.progress++;
        log(event);
        context.tally.add("client-end", how);
        socket.close(failure -> context.failures.report(Rule.CRASH, this + " cannot close its socket", failure));
    }

    private void log(String event) {
        if (context.timeline.isEnabled()) {
            context.timeline.log(this + " " + event);
        }
    }

    /** Describes the state of a client that has not ended. */
    String describe() {
        return this + ": " + (connected ? "connected" : started ? "connecting" : "not started") + ", has written " + written
                + " of "
                + sentStream.length() + " bytes" + (finishedOutput ? " and ended its output" : "")
                + (inputEnded ? ", has read the end of its input" : "") + ", watches for " + Interest.toString(socket.interest());
    }

    @Override
    public String toString() {
        return "client " + plan.number();
    }
}
