package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.ConnectionClosedException;
import io.trivet.server.Session;
import io.trivet.tls.TlsServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One client of a {@link SessionTrial}, and the session that serves it. The session draws its calls, and checks what they return.
 * Between two turns the trial checks that the session waits only if its call has to.
 */
final class SessionPeer {
    /** The time at which a call without limit ends by itself. */
    static final long NEVER = Long.MAX_VALUE;
    private static final long MILLI = 1_000_000;

    /** Created only if a session asks for TLS. */
    private static final class ServerTls {
        static final TlsServer SETTINGS;

        static {
            try {
                SETTINGS = TlsServer.builder().context(SecuredContexts.ofServer(new SecureRandom())).build();
            } catch (IOException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }

    private enum Call {
        RECEIVE, SEND, SLEEP, START_TLS
    }

    final int number;
    final TrialClient client;
    private final TrialRun run;
    private final TrialNetwork network;
    private final SessionTrial.Settings settings;
    /** The messages that the client has sent, and their bytes with frames. */
    final List<String> sent = new ArrayList<>();
    int sentBytes;
    /** The messages that had arrived when the trial last looked. */
    int arrived;
    /** What the session has sent, with frames, and where each message ends. */
    final ByteArrayOutputStream accepted = new ByteArrayOutputStream();
    final List<Integer> acceptedEnds = new ArrayList<>();
    @Nullable Session session;
    int started;
    boolean ended;
    int received;
    /** The messages that the session had received when no more waited. */
    int taken;

    // What the trial has done.
    boolean outputEnded;
    /** The client has ended its output while the connection was open. */
    boolean peerEnded;
    /** The last message of the client has no line feed. */
    boolean isUnfinished;
    boolean drained;
    boolean finished;
    /** The connection was closed at once, for this reason. */
    @Nullable CloseReason closed;
    /** Messages of the client that the session gets at least; negative: all. */
    int deliveredMin = -1;
    /** Messages of the client that the session may get: nothing is read any more once the server drains. */
    int deliveredMax = Integer.MAX_VALUE;

    // What the session does.
    private @Nullable Call call;
    private long callEnds = NEVER;
    private boolean threw;
    private boolean sawEnd;
    /** Reading was paused until the session receives more, when the trial last looked. Then the loop may not know of the input's end. */
    boolean paused;
    /** The reasons for which the connection may end in order, known once it is finished by the application or the session has ended. */
    private List<CloseReason> reasons = List.of();

    SessionPeer(TrialRun run, TrialNetwork network, SessionTrial.Settings settings, int number, TrialClient client) {
        this.run = run;
        this.network = network;
        this.settings = settings;
        this.number = number;
        this.client = client;
    }

    Connection connection() {
        Session of = session;
        if (of == null) {
            throw new IllegalStateException("the session of client " + number + " was not started");
        }
        return of.connection();
    }

    /** Returns when the present call ends by itself, or {@link #NEVER}. */
    long callEnds() {
        return call == null ? NEVER : callEnds;
    }

    // ---- the session

    /** The code of the session. */
    void serve(Session of) throws Exception {
        started++;
        session = of;
        int calls = run.random.between(1, settings.callsMax());
        try {
            for (int i = 0; (i < calls && !run.hasFailed()) || sawEnd; i++) {
                if (sawEnd && run.random.chance(30)) {
                    break;
                }
                next(of);
            }
            if (run.random.chance(25)) {
                threw = true;
                log("throws");
                TestExceptions.throwUndeclared(run.random.below(2));
            }
            log("returns");
        } catch (IOException | RuntimeException e) {
            run.expect(Rule.CALLBACKS, threw || e instanceof ConnectionClosedException, "a call of " + this + " throws " + e);
            throw e;
        } finally {
            call = null;
            ended = true;
            if (!finished) {
                ends(threw ? CloseReason.HANDLER_FAILED : drained ? CloseReason.DRAINED : CloseReason.FINISHED);
            } else if (threw && connection().state() != ConnectionState.CLOSED) {
                reasons = List.of(CloseReason.HANDLER_FAILED);
            }
        }
    }

    private void ends(CloseReason reason) {
        reasons = reason != CloseReason.FINISHED || !peerEnded ? List.of(reason)
                : paused ? List.of(reason, CloseReason.PEER_FINISHED) : List.of(CloseReason.PEER_FINISHED);
    }

    /** The application finishes the connection. */
    void finish() {
        finished = true;
        ends(CloseReason.FINISHED);
        connection().finish();
    }

    private void next(Session of) throws IOException {
        SeededRandom random = run.random;
        boolean interrupts = random.chance(5);
        if (interrupts) {
            log("is interrupted");
            Thread.currentThread().interrupt();
        }
        try {
            if (random.chance(settings.sleepsPercent())) {
                sleep(of);
                return;
            }
            if (!interrupts && random.chance(2) && !outputEnded && !drained && !finished && closed == null) {
                startTls(of);
                return;
            }
            switch (random.below(9)) {
                case 0, 1, 2, 3 -> receive(of, NEVER);
                case 4, 5 -> receive(of, timeout());
                default -> send(of);
            }
        } catch (ConnectionClosedException e) {
            checkClosed(e);
            if (random.chance(50)) {
                throw e;
            }
            sawEnd = true;
        } catch (InterruptedIOException e) {
            run.expect(Rule.CALLBACKS,
                    interrupts && !(e instanceof SocketTimeoutException) && Thread.currentThread().isInterrupted(),
                    "a call of " + this + " throws " + e + ", although it was not interrupted");
        } finally {
            call = null;
            if (interrupts && !Thread.interrupted()) {
                run.fail(Rule.CALLBACKS, "a call of " + this + " has cleared the interrupt status");
            }
        }
    }

    /** Returns true if reading may be paused because of what the session has sent. */
    private boolean mayBeHeldUp() {
        return settings.pausesWhenHigh() && (paused || connection().queue().bytes() > settings.lowBytes());
    }

    private long timeout() {
        return run.random.chance(20) ? 0 : run.random.logUniform(1, 50 * MILLI);
    }

    private void begin(Call begun, long timeout) {
        call = begun;
        callEnds = timeout == NEVER ? NEVER : network.now() + timeout;
    }

    private void receive(Session of, long timeout) throws IOException {
        long ends = timeout == NEVER ? NEVER : network.now() + timeout;
        begin(Call.RECEIVE, timeout);
        ByteBuffer message;
        try {
            message = timeout == NEVER ? of.receive() : of.receive(Duration.ofNanos(timeout));
        } catch (SocketTimeoutException e) {
            log("has received nothing in time");
            run.expect(Rule.DEADLINES, network.now() >= ends, "receive of " + this + " times out "
                    + ReportText.duration(ends - network.now()) + " too early");
            run.expect(Rule.DELIVERY, received >= arrived || drained || finished || closed != null
                    || mayBeHeldUp(),
                    "receive of " + this + " times out, although message " + received + " of " + arrived + " has arrived");
            return;
        }
        if (message == null) {
            checkEnd();
            return;
        }
        String text = StandardCharsets.ISO_8859_1.decode(message.duplicate()).toString();
        String right = received < sent.size() ? sent.get(received) : "nothing";
        run.expect(Rule.DELIVERY, text.equals(right), this + " receives " + shown(text) + " instead of " + shown(right)
                + ", message " + received);
        received++;
        log("receives message " + (received - 1));
        byte[] other = new byte[message.remaining()];
        message.put(message.position(), other); // it may also be changed
        message.put(other).order(ByteOrder.LITTLE_ENDIAN).limit(message.capacity()).position(0); // it belongs to the session
        sawEnd = false;
    }

    private static String shown(String text) {
        return text.length() <= 20 ? "\"" + text + "\"" : "\"" + text.substring(0, 20) + "…\" (" + text.length() + ")";
    }

    private void checkEnd() {
        log("receives the end");
        boolean isOrderly = closed == null && (peerEnded || drained || finished);
        run.expect(Rule.ENDS, isOrderly, "receive of " + this + " returns null");
        run.expect(Rule.DELIVERY, received >= leastReceived(), "receive of " + this + " returns null after " + received + " of "
                + leastReceived() + " messages");
        sawEnd = true;
    }

    /** The messages that must be received before the end. */
    private int leastReceived() {
        return deliveredMin >= 0 ? deliveredMin : sent.size();
    }

    private void checkClosed(ConnectionClosedException thrown) {
        log("learns that its connection is closed");
        CloseReason why = closed;
        boolean mayBeClosed = why != null ? thrown.reason() == why
                : finished && call != Call.RECEIVE && reasons.contains(thrown.reason());
        run.expect(Rule.ENDS, mayBeClosed, "a call " + call + " of " + this + " throws " + thrown);
        run.expect(Rule.DELIVERY, call != Call.RECEIVE || received >= leastReceived(), "receive of " + this + " throws after "
                + received + " of " + leastReceived() + " messages");
    }

    private void sleep(Session of) throws IOException {
        long timeout = run.random.chance(10) ? 0 : run.random.logUniform(1, settings.sleepNanosMax());
        begin(Call.SLEEP, timeout);
        log("sleeps for " + ReportText.duration(timeout));
        of.sleep(Duration.ofNanos(timeout));
        run.expect(Rule.DEADLINES, network.now() >= callEnds, this + " has slept "
                + ReportText.duration(callEnds - network.now()) + " too little");
    }

    /** Calls startTls on a server without TLS. The call is refused, and the connection stays as it is. */
    private void startTls(Session of) throws IOException {
        try {
            if (run.random.chance(50)) {
                of.receive(Duration.ofNanos(-1));
            } else {
                of.sleep(Duration.ofNanos(-1));
            }
            run.fail(Rule.CALLBACKS, this + " waits for a negative time");
        } catch (IllegalArgumentException e) {
            // As it must be.
        }
        begin(Call.START_TLS, NEVER);
        log("starts TLS");
        try {
            of.startTls(ServerTls.SETTINGS, "go ahead");
            run.fail(Rule.CALLBACKS, this + " has started TLS, which the server does not have");
        } catch (IllegalStateException e) {
            // As it must be.
        }
    }

    private void send(Session of) throws IOException {
        begin(Call.SEND, NEVER);
        byte[] content = new byte[(int) run.random.logUniform(0, run.random.chance(20) ? 20_000 : 500)];
        Arrays.fill(content, (byte) ('a' + acceptedEnds.size() % 26));
        ByteBuffer message = ByteBuffer.wrap(content);
        int waiting = of.connection().queue().bytes();
        long bytesOut = settings.bytesOut().getAsLong();
        of.send(message);
        run.same(Rule.BYTES, "bytes of a message that was sent and are left", message.remaining(), 0);
        if (settings.bytesOut().getAsLong() == bytesOut) { // it has not waited
            run.expect(Rule.CAPS, waiting < settings.highBytes(), "send of " + this + " does not wait with " + waiting
                    + " bytes in the queue, whose high mark is " + settings.highBytes());
        }
        accepted.writeBytes(content);
        accepted.write('\n');
        acceptedEnds.add(accepted.size());
        log("sends " + content.length + " bytes");
    }

    private void log(String event) {
        run.log(this + " " + event);
    }

    // ---- what must hold between two turns

    /** Returns why the session must not wait any longer; null if it may. */
    @Nullable
    String mustContinue(boolean isClosed) {
        Call of = call;
        if (started == 0 || ended || of == null) {
            return started == 0 ? "has not been started" : ended ? null : "waits outside of its calls";
        }
        if (isClosed) {
            return "waits although its connection is closed";
        }
        return switch (of) {
            case RECEIVE -> mayBeHeldUp() && !drained && closed == null ? null
                    : received < leastReceived() ? "waits for message " + received + ", which has arrived"
                    : (peerEnded || drained) && !finished ? "waits for a message, although its input has ended"
                    : callEnds <= network.now() ? "waits for a message, although the time is over" : null;
            case START_TLS -> "waits for TLS, which the server does not have";
            case SLEEP -> callEnds <= network.now() ? "sleeps too long" : null;
            case SEND -> connection().queue().bytes() <= settings.lowBytes()
                    ? "waits to send with " + connection().queue().bytes() + " bytes in the queue" : null;
        };
    }

    /** Returns true if nothing is held for the session: it waits for a message, and has sent everything. */
    boolean holdsNothing() {
        return ended || (call == Call.RECEIVE && connection().queue().bytes() == 0 && received == sent.size());
    }

    /** Returns the reasons for which the connection may have ended. */
    List<CloseReason> endReasons() {
        CloseReason why = closed;
        return why != null ? List.of(why) : reasons;
    }

    @Override
    public String toString() {
        return "the session of client " + number;
    }
}
