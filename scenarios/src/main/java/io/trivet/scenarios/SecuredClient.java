package io.trivet.scenarios;

import io.trivet.net.Interest;
import io.trivet.net.Loop;
import io.trivet.net.Poller;
import io.trivet.net.TcpStream;
import io.trivet.sim.ClientEnd;
import io.trivet.sim.Fault;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** A client of the {@link SecuredServer}: performs its plan over TLS, and records what it has seen. */
final class SecuredClient {
    private static final int FRAME_BYTES = 4;
    private static final int GARBAGE_BYTES = 40;
    /** From this {@link SecuredPlan#cut} on, the first message of the handshake is whole. */
    private static final int WHOLE = 800;
    /** A warning: the user has canceled the handshake. */
    private static final byte[] USER_CANCELED = {21, 3, 3, 0, 2, 1, 90};
    private static final byte[] CLOSE_NOTIFY = {21, 3, 3, 0, 2, 1, 0};

    final SecuredPlan plan;
    final long startedNanos;
    private final RunContext context;
    private final Poller poller;
    private final int token;
    private @Nullable TcpStream stream;
    private @Nullable SecuredStream tls;
    private @Nullable InetSocketAddress address;
    private final long replyBytes;
    private int interest = -1;
    private boolean established;
    /** When the client has first seen the server's close_notify. */
    private long notifiedNanos;
    private long endedNanos;
    private int asked;
    private @Nullable ByteBuffer sending;
    private long dueNanos = Loop.NO_DEADLINE;
    private long readsFromNanos;
    private long gapEndsNanos;
    /** The client has ended its TCP output. */
    private boolean shutDown;
    private boolean prepared;
    private boolean finished;
    private ClientEnd end = ClientEnd.OPEN;
    private @Nullable SSLException failure;
    /** The client has encrypted a close_notify. */
    private boolean hasSentNotify;
    /** The client has ended its TCP stream, or is about to, without a close_notify. */
    private boolean endsWithoutNotify;

    SecuredClient(RunContext context, SimHost host, Poller poller, int token, SSLContext contexts, InetSocketAddress server,
            SecuredPlan plan) {
        this.context = context;
        this.poller = poller;
        this.token = token;
        this.plan = plan;
        startedNanos = context.now();
        replyBytes = plan.asks().stream().mapToLong(ask -> FRAME_BYTES + ask.size()).sum();
        try {
            TcpStream connecting = host.connect(server);
            stream = connecting;
            address = connecting.localAddress();
            SSLEngine engine = contexts.createSSLEngine(); // without a peer's name, sessions are not resumed
            engine.setEnabledProtocols(new String[]{plan.isTls12() ? "TLSv1.2" : "TLSv1.3"});
            tls = new SecuredStream(connecting, engine);
            poller.register(connecting, Interest.WRITE, token);
            interest = Interest.WRITE;
        } catch (IOException e) {
            end(ClientEnd.REFUSED, "cannot connect: " + e.getMessage());
        }
    }

    // ---- what the client has seen

    ClientEnd end() {
        return end;
    }

    @Nullable
    InetSocketAddress address() {
        return address;
    }

    /** Returns why TLS has failed; null if it has not. */
    @Nullable
    SSLException failure() {
        return failure;
    }

    boolean hasSentNotify() {
        return hasSentNotify;
    }

    boolean endsWithoutNotify() {
        return endsWithoutNotify;
    }

    /** Returns true if the peer has said that nothing more follows. An alert says that TLS has failed. */
    boolean hasReceivedNotify() {
        return tls != null && tls.hasReceivedNotify() && failure == null;
    }

    /** Returns how long after the server's close_notify the client has ended. */
    long endedAfterNotifyNanos() {
        return endedNanos - notifiedNanos;
    }

    boolean hasConnected() {
        return tls != null && tls.isConnected();
    }

    /** Returns the number of messages of which at least the beginning was encrypted. */
    int asked() {
        return asked + (sending == null ? 0 : 1);
    }

    byte[] received() {
        return tls == null ? new byte[0] : tls.received();
    }

    Set<Fault> faults() {
        return address == null ? Set.of() : context.network.faultsOf(address);
    }

    // ---- the run

    /** Returns when the client has something to do even if nothing arrives. */
    long dueNanos() {
        return end == ClientEnd.OPEN ? dueNanos : Loop.NO_DEADLINE;
    }

    /** Called when the stream is ready, or the client is due, or the recovery phase has started. */
    void turn() {
        if (end != ClientEnd.OPEN) {
            return;
        }
        dueNanos = Loop.NO_DEADLINE;
        context.operations++;
        try {
            if (established || connect()) {
                if (plan.kind().connects()) {
                    converse();
                } else {
                    misbehave();
                }
            }
            if (end == ClientEnd.OPEN) {
                watch();
            }
        } catch (SSLException e) {
            failure = e;
            endsWithoutNotify |= !hasSentNotify;
            end(ClientEnd.CLOSED, "has failed: " + e.getMessage());
        } catch (IOException e) { // perhaps of the client itself, which then cannot end its stream as it should
            endsWithoutNotify |= !hasSentNotify;
            end(established ? ClientEnd.RESET : ClientEnd.REFUSED, "ends: " + e.getMessage());
        }
    }

    private boolean connect() throws IOException {
        established = stream().finishConnect();
        if (established && plan.kind().connects()) {
            tls().beginHandshake();
        }
        return established;
    }

    private void converse() throws IOException {
        tls().progress(reads());
        if (notifiedNanos == 0 && tls().hasReceivedNotify()) {
            notifiedNanos = context.now();
        }
        boolean moved = tls().isConnected();
        while (moved && end == ClientEnd.OPEN && !finished) {
            moved = step();
        }
        if (end == ClientEnd.OPEN && tls().isConnected()) {
            tls().progress(reads());
            shutDownIfFinished();
        }
        if (end == ClientEnd.OPEN && tls().hasStreamEnded()) {
            endsWithoutNotify |= !hasSentNotify;
            end(ClientEnd.ENDED, "reads the end of its input" + (hasReceivedNotify() ? "" : ", without a close_notify"));
        }
    }

    private boolean reads() {
        if (tls().isConnected() && readsFromNanos == 0) {
            readsFromNanos = Math.max(1, context.now() + plan.unreadNanos());
        }
        boolean reads = context.recovering || !tls().isConnected() || readsFromNanos <= context.now();
        if (!reads) {
            due(readsFromNanos);
        }
        return reads;
    }

    /** Does the next thing of the plan. Returns false if it has to wait. */
    private boolean step() throws IOException {
        if (tls().hasUnsent()) {
            return false;
        }
        if (tls().hasReceivedNotify()) { // the server has ended the connection
            if (!plan.awaitsEnd() || plan.isTls12()) {
                complete();
            }
            return false;
        }
        ByteBuffer message = sending;
        if (message != null) {
            tls().send(message);
            if (!message.hasRemaining()) {
                sending = null;
                asked++;
                if (plan.gapNanos() > 0 && !context.recovering) {
                    due(context.now() + plan.gapNanos());
                    gapEndsNanos = context.now() + plan.gapNanos();
                }
            }
            return true;
        }
        if (gapEndsNanos > context.now() && !context.recovering) {
            due(gapEndsNanos);
            return false;
        }
        if (asked < plan.asks().size()) {
            byte[] content = plan.message(asked);
            sending = ByteBuffer.allocate(FRAME_BYTES + content.length).putInt(content.length).put(content).flip();
            return true;
        }
        boolean mayEndFirst = !plan.isTls12(); // in TLS 1.2, the end of one direction is that of both
        boolean awaits = plan.isEndedByServer() ? !mayEndFirst || plan.awaitsEnd()
                : tls().receivedBytes() < replyBytes && (plan.awaitsReplies() || !mayEndFirst);
        if (awaits) {
            return false;
        }
        finish();
        return false;
    }

    /** Ends the conversation as planned. */
    private void finish() throws IOException {
        switch (plan.kind()) {
            case COMPLETES -> complete();
            case TRUNCATES -> {
                endsWithoutNotify = true;
                finished = true;
            }
            case CUTS_RECORD -> {
                endsWithoutNotify = true;
                finished = true;
                int length = tls().prepare(new byte[]{0, 0, 0, 1}).remaining();
                tls().dropUnsent(1 + plan.cut() * (length - 2) / 1000);
            }
            case FORGES -> {
                ByteBuffer record = tls().prepare(new byte[]{0, 0, 0, 1, 0});
                int at = FRAME_BYTES + 1 + plan.cut() * (record.remaining() - FRAME_BYTES - 2) / 1000;
                record.put(at, (byte) (record.get(at) ^ 1));
                prepared = true;
                finished = true;
            }
            case RESETS -> {
                endsWithoutNotify = true;
                stream().setOption(StandardSocketOptions.SO_LINGER, 0);
                end(ClientEnd.CLOSED, "resets its connection");
            }
            case STALLS, CUTS_HANDSHAKE, ENDS_HANDSHAKE, SENDS_GARBAGE, SENDS_GARBAGE_WITHIN -> throw new AssertionError(this);
        }
    }

    private void complete() throws IOException {
        hasSentNotify = true;
        finished = true;
        log("ends its output");
        tls().endOutput();
    }

    private void shutDownIfFinished() throws IOException {
        if (finished && !shutDown && !tls().hasUnsent() && !prepared) {
            shutDown = true;
            stream().shutdownOutput();
        }
    }

    /** Returns true if a record that was changed has been encrypted. */
    boolean hasForged() {
        return prepared;
    }

    /** Sends what is no complete handshake. */
    private void misbehave() throws IOException {
        if (!prepared) {
            prepared = true;
            tls().sendRaw(notTheHandshake());
        }
        tls().progressRaw();
        if (plan.kind() == SecuredClientKind.CUTS_HANDSHAKE && !tls().hasUnsent() && !shutDown) {
            endsWithoutNotify = true;
            shutDown = true;
            stream().shutdownOutput();
        }
        if (tls().hasStreamEnded()) {
            endsWithoutNotify = true;
            end(ClientEnd.ENDED, "reads the end of its input");
        }
    }

    private byte[] notTheHandshake() throws IOException {
        byte[] garbage = new byte[GARBAGE_BYTES];
        SeededRandom random = new SeededRandom(context.scenario.seed() ^ plan.number());
        for (int i = 0; i < garbage.length; i++) {
            garbage[i] = (byte) random.below(256);
        }
        if (garbage[0] >= 20 && garbage[0] <= 24) {
            garbage[0] = 'G';
        }
        return switch (plan.kind()) {
            case SENDS_GARBAGE -> garbage;
            case SENDS_GARBAGE_WITHIN -> join(tls().hello(), garbage);
            case ENDS_HANDSHAKE -> plan.cut() % 2 == 0 ? CLOSE_NOTIFY : join(USER_CANCELED, CLOSE_NOTIFY);
            default -> {
                byte[] hello = tls().hello();
                yield plan.cut() >= WHOLE ? hello : Arrays.copyOf(hello, plan.cut() * hello.length / WHOLE);
            }
        };
    }

    private static byte[] join(byte[] first, byte[] second) {
        return ByteBuffer.allocate(first.length + second.length).put(first).put(second).array();
    }

    private void watch() throws IOException {
        int wanted = !established ? Interest.WRITE
                : (plan.kind().connects() && !reads() ? 0 : Interest.READ) | (tls().hasUnsent() ? Interest.WRITE : 0);
        if (wanted != interest) {
            interest = wanted;
            poller.modify(stream(), wanted, token);
        }
    }

    private void due(long nanos) {
        dueNanos = Math.min(dueNanos, nanos);
    }

    private void end(ClientEnd how, String event) {
        end = how;
        endedNanos = context.now();
        context.progress++;
        log(event);
        TcpStream open = stream;
        if (open != null) {
            try {
                if (poller.registration(open) != null) {
                    poller.deregister(open);
                }
                open.close();
            } catch (IOException e) {
                context.failures.report(Rule.CRASH, this + " cannot be closed: " + e, e);
            }
        }
    }

    private TcpStream stream() {
        return Objects.requireNonNull(stream);
    }

    private SecuredStream tls() {
        return Objects.requireNonNull(tls);
    }

    private void log(String event) {
        if (context.timeline.isEnabled()) {
            context.timeline.log(this + " " + event);
        }
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "client %d with TLS", plan.number());
    }
}
