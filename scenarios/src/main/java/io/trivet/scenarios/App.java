package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.Handler;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The application of one server: it does what its clients' messages ask for, and keeps a {@link Ledger} of each connection. It is an ordinary
 * handler, which uses every method there is.
 */
final class App implements Handler {
    private final Scene scene;
    private final House house;
    private final ServerPlan plan;
    private final InputJudge input;
    private final OrderJudge order;
    /** Of a connection that the server makes; null: accepted ones. */
    private final @Nullable Ledger made;

    /** What reacts to an empty queue by filling it goes on as long as its client reads. */
    private static final int REFILLS_MAX = 20;
    private static final int FILL_MAX = 50;
    /** Where a message begins that is sent from the middle of a buffer. */
    private static final int OFFSET = 5;

    /** Thrown on request. */
    private static final class OnRequest extends Exception {
        private static final long serialVersionUID = 1;

        OnRequest() {
            super("on request", null, false, false);
        }
    }

    /** The same, and nobody has to declare it. */
    private static final class UncheckedOnRequest extends RuntimeException {
        private static final long serialVersionUID = 1;

        UncheckedOnRequest() {
            super("on request", null, false, false);
        }
    }

    App(Scene scene, House house, @Nullable Ledger made) {
        this.scene = scene;
        this.house = house;
        this.made = made;
        plan = house.plan;
        input = new InputJudge(scene, house);
        order = new OrderJudge(scene);
    }

    // ---- callbacks

    @Override
    public void onOpen(Connection connection) throws Exception {
        Ledger ledger = made;
        if (ledger == null) {
            Peer peer = house.visitor(connection);
            if (peer == null) {
                scene.findings.report(Rule.CALLBACKS, "a connection of nobody: " + connection);
                return;
            }
            ledger = new Ledger(plan, peer, false, scene.now());
        }
        house.enter(ledger, connection);
        order.open(ledger, connection);
        house.grantWish();
        if (scene.timeline.isTold()) {
            scene.timeline.tell(told(ledger, "opens"));
        }
        if (!plan.pureEcho()) {
            for (int i = 0; i < plan.greetings(); i++) {
                answer(ledger, 20 + i, Sending.BYTES);
            }
        }
        opens(ledger);
        if (scene.healed) {
            goAway(ledger);
        }
        mayThrow(ledger, Reaction.OPEN_THROWS);
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer message) throws Exception {
        Ledger ledger = ledger(connection);
        if (ledger == null) {
            return;
        }
        order.message(ledger, connection);
        house.grantWish();
        if (plan.frames().isRaw()) {
            onPiece(ledger, message);
            return;
        }
        Said.Message said = input.message(ledger, message);
        Ask ask = said == null ? null : said.ask();
        if (said != null && ask != null) {
            tellAsk(ledger, said, ask);
            perform(ledger, said, ask, message);
        }
    }

    private void onPiece(Ledger ledger, ByteBuffer piece) throws Exception {
        int before = ledger.bytesGiven;
        byte[] bytes = input.piece(ledger, piece);
        if (plan.pureEcho()) {
            if (scene.timeline.isTold()) {
                scene.timeline.tell(told(ledger, "is told " + bytes.length + " bytes from " + before));
            }
            int length = piece.remaining();
            if (result(ledger, ledger.connection().send(piece), length, Sending.BYTES) == SendResult.QUEUED) {
                ledger.echoedBytes += bytes.length;
                ledger.accept(length);
            }
        }
        for (Said.Message said = input.nextWhole(ledger); said != null; said = input.nextWhole(ledger)) {
            Ask ask = said.ask();
            if (ask != null && !plan.pureEcho()) {
                tellAsk(ledger, said, ask);
                perform(ledger, said, ask, null);
            }
        }
    }

    private void tellAsk(Ledger ledger, Said.Message said, Ask ask) {
        scene.tally.add("asked to", ask.verb());
        if (scene.timeline.isTold()) {
            scene.timeline.tell(told(ledger, "is told m" + said.number() + " " + ask));
        }
    }

    @Override
    public void onUrgent(Connection connection, byte b) throws Exception {
        Ledger ledger = ledger(connection);
        if (ledger == null) {
            return;
        }
        order.urgent(ledger, connection);
        house.grantWish();
        input.urgent(ledger, b);
        if (scene.timeline.isTold()) {
            scene.timeline.tell(told(ledger, "is told the urgent byte " + (b & 0xff)));
        }
        if (!plan.pureEcho()) {
            answer(ledger, 12, Sending.BYTES);
        }
        if (reacts(ledger, Reaction.URGENT_FINISHES) != null) {
            finish(ledger);
        }
        if (reacts(ledger, Reaction.URGENT_CLOSES) != null) {
            close(ledger);
        }
        mayThrow(ledger, Reaction.URGENT_THROWS);
    }

    @Override
    public void onEndOfInput(Connection connection) throws Exception {
        Ledger ledger = ledger(connection);
        if (ledger == null) {
            return;
        }
        order.endOfInput(ledger, connection);
        house.grantWish();
        input.end(ledger);
        if (scene.timeline.isTold()) {
            scene.timeline.tell(told(ledger, "is told the end of the input"));
        }
        Farewell farewell = plan.pureEcho() || scene.healed ? Farewell.FINISH : plan.farewell();
        switch (farewell) {
            case FINISH -> finish(ledger);
            case LAST_WORD -> {
                answer(ledger, 30, Sending.BYTES);
                finish(ledger);
            }
            case LATER -> schedule(ledger, 20_000_000, () -> {
                answer(ledger, 40, Sending.BYTES);
                finish(ledger);
            });
            case CLOSE -> close(ledger);
        }
        mayThrow(ledger, Reaction.END_THROWS);
    }

    @Override
    public void onDrained(Connection connection) throws Exception {
        Ledger ledger = ledger(connection);
        if (ledger == null) {
            return;
        }
        scene.tally.add("limit", Limit.QUEUE_LOW);
        order.drained(ledger, connection);
        house.grantWish();
        if (scene.timeline.isTold()) {
            scene.timeline.tell(told(ledger, "is told that its queue has drained"));
        }
        pump(ledger);
        Habit sends = reacts(ledger, Reaction.DRAINED_SENDS);
        if (sends != null && ledger.refills < REFILLS_MAX) {
            ledger.refills++;
            answer(ledger, sends.size(), Sending.BYTES);
        }
        if (reacts(ledger, Reaction.DRAINED_FINISHES) != null) {
            finish(ledger);
        }
        if (reacts(ledger, Reaction.DRAINED_CLOSES) != null) {
            close(ledger);
        }
        mayThrow(ledger, Reaction.DRAINED_THROWS);
    }

    @Override
    public void onDropped(Connection connection, int messages, long bytes) throws Exception {
        Ledger ledger = ledger(connection);
        if (ledger == null) {
            return;
        }
        scene.tally.add("policy", Overflow.DROP_OLDEST);
        order.dropped(ledger, messages, bytes);
        house.grantWish();
        ledger.droppedMessages += messages;
        ledger.droppedBytes += bytes;
        if (scene.timeline.isTold()) {
            scene.timeline.tell(told(ledger, "is told that " + messages + " messages of " + bytes + " bytes were dropped"));
        }
        Habit sends = reacts(ledger, Reaction.DROPPED_SENDS);
        if (sends != null) {
            answer(ledger, sends.size(), Sending.BYTES);
        }
        if (reacts(ledger, Reaction.DROPPED_FINISHES) != null) {
            finish(ledger);
        }
        if (reacts(ledger, Reaction.DROPPED_CLOSES) != null) {
            close(ledger);
        }
        mayThrow(ledger, Reaction.DROPPED_THROWS);
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) throws Exception {
        Ledger ledger = made != null ? made : ledger(connection);
        if (ledger == null) {
            return;
        }
        scene.tally.add("reason", reason);
        scene.tally.add("state", ConnectionState.CLOSED);
        if (scene.timeline.isTold()) {
            scene.timeline.tell(told(ledger, "is told the close: " + reason));
        }
        boolean neverOpened = ledger.phase == Ledger.Phase.BEFORE_OPEN;
        order.closed(ledger, connection, reason);
        house.grantWish();
        boolean callsAgain = ledger.called && reacts(ledger, Reaction.CLOSE_CALLS_AGAIN) != null;
        house.leave(ledger, callsAgain && house.callAgain(ledger, neverOpened && reason == CloseReason.CONNECT_FAILED));
        Habit sends = reacts(ledger, Reaction.CLOSE_SENDS);
        if (sends != null) {
            answer(ledger, sends.size(), Sending.BYTES);
            Ledger other = house.pick(ledger.peer.plan.number());
            if (other != null) {
                answer(other, sends.size(), Sending.BYTES);
            }
        }
        if (reacts(ledger, Reaction.CLOSE_THROWS) != null) {
            throw exception(ledger.peer.plan.number());
        }
    }

    // ---- what nobody has asked for

    /** What the application does about it; null: nothing. */
    @Nullable
    Habit reacts(Ledger ledger, Reaction reaction) {
        for (int i = 0; i < plan.habits().size() && !scene.healed && !house.shut; i++) {
            Habit habit = plan.habits().get(i);
            if (habit.reaction() == reaction && habit.concerns(ledger.peer)) {
                scene.tally.add("reaction", reaction);
                return habit;
            }
        }
        return null;
    }

    private void opens(Ledger ledger) {
        Habit first = reacts(ledger, Reaction.OPEN_SENDS_FIRST);
        if (first != null) {
            answer(ledger, first.size(), Sending.AHEAD);
        }
        Habit pauses = reacts(ledger, Reaction.OPEN_PAUSES);
        if (pauses != null) {
            pause(ledger, pauses.nanos());
        }
        if (reacts(ledger, Reaction.OPEN_BLINKS) != null) {
            blink(ledger);
        }
        Habit fills = reacts(ledger, Reaction.OPEN_FILLS);
        for (int i = 0; fills != null && i < FILL_MAX && !ledger.connection().queue().isHigh(); i++) {
            answer(ledger, fills.size(), Sending.OFFER);
        }
    }

    private static @Nullable Ledger ledger(Connection connection) {
        return connection.attachment() instanceof Ledger ledger ? ledger : null;
    }

    // ---- what messages ask for

    private void perform(Ledger ledger, Said.Message said, Ask ask, @Nullable ByteBuffer message) throws Exception {
        switch (ask.verb()) {
            case QUIET -> {
                // It was received, and that is all.
            }
            case ECHO -> echo(ledger, said, message);
            case ANSWER -> answers(ledger, ask, Sending.BYTES);
            case ANSWER_TEXT -> answers(ledger, ask, Sending.TEXT);
            case OFFER -> answers(ledger, ask, Sending.OFFER);
            case FIRST -> {
                answer(ledger, ask.size(), Sending.BYTES);
                answer(ledger, 20, Sending.AHEAD);
            }
            case PUMP -> {
                ledger.pumpLeft += ask.count();
                ledger.pumpSize = ask.size();
                pump(ledger);
            }
            case LATER -> schedule(ledger, ask.delayNanos(), () -> answer(ledger, ask.size(), Sending.BYTES));
            case SOON -> execute(ledger, () -> answer(ledger, ask.size(), Sending.BYTES));
            case BROADCAST -> house.broadcast(ask.size());
            case TELL -> tellAnother(ledger, ask);
            case BY_ANOTHER -> {
                Ledger other = house.pick(ask.length());
                if (other == null) {
                    return;
                }
                execute(other, () -> answer(other, ask.size(), Sending.BYTES));
                schedule(other, ask.delayNanos(), () -> answer(other, ask.size(), Sending.AHEAD));
            }
            case EMPTY -> {
                int framed = plan.frames().framedLength(0);
                SendResult result = ledger.connection().send(new byte[0]);
                boolean taken = result(ledger, result, framed, Sending.BYTES) == SendResult.QUEUED;
                if (taken && !plan.frames().isRaw()) { // without a frame there is nothing that could arrive
                    ledger.emptySent++;
                    ledger.accept(framed);
                }
            }
            case CAP -> {
                int length = plan.limits().queueBytesMax() - plan.frames().framedLength(0);
                boolean fits = length <= Math.min(plan.frames().lengthMax(), scene.sending.capacity());
                answer(ledger, fits ? length : ask.size(), Sending.OFFER);
            }
            case RELAY -> relay(ledger, said, ask, message);
            case PAUSE -> pause(ledger, ask.delayNanos());
            case BLINK -> blink(ledger);
            case PAUSE_ANOTHER -> {
                Ledger other = house.pick(ask.length());
                pause(other == null ? ledger : other, ask.delayNanos());
            }
            case URGENT -> urgent(ledger);
            case FINISH_OUTPUT -> {
                answer(ledger, ask.size(), Sending.BYTES);
                ledger.outputFinished = true;
                ledger.connection().finishOutput();
            }
            case FINISH -> {
                answer(ledger, ask.size(), Sending.BYTES);
                finish(ledger);
            }
            case CLOSE -> close(ledger);
            case THROW -> throw failure(ledger);
            case THROW_IN_TASK -> execute(ledger, () -> {
                scene.progress++;
                App.<RuntimeException>throwUndeclared(said.number());
            });
            case THROW_IN_TIMER -> schedule(ledger, ask.delayNanos(), () -> {
                ledger.hasThrown = true;
                App.<RuntimeException>throwUndeclared(said.number());
            });
        }
    }

    /** What a handler throws, now and then without having declared it. That is the end of the connection, unless it has ended before. */
    private static Exception failure(Ledger ledger) {
        ledger.hasThrown = ledger.connection().state() != ConnectionState.CLOSED;
        return exception(ledger.peer.plan.number());
    }

    private static Exception exception(int number) {
        return number % 2 == 0 ? new OnRequest() : new UncheckedOnRequest();
    }

    /** What need not be declared: other languages than Java can throw it from a task. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // that is the trick
    private static <E extends Exception> void throwUndeclared(int number) throws E {
        throw (E) exception(number);
    }

    private void mayThrow(Ledger ledger, Reaction reaction) throws Exception {
        if (reacts(ledger, reaction) != null) {
            throw failure(ledger);
        }
    }

    /** A task on a connection's loop: it is run once, also when the connection is closed by then. */
    private void execute(Ledger ledger, Runnable task) {
        house.tasksLeft++;
        ledger.connection().execute(() -> {
            house.tasksLeft--;
            if (ledger.loopKey != Scene.OUTSIDE && !house.isRightPlace(ledger)) {
                scene.findings.report(Rule.CALLBACKS,
                        "a task for the loop of " + ledger + " is run on another's: " + scene.where);
            }
            task.run();
        });
    }

    /** Sends a message back: from where it lies, if it is known. */
    private void echo(Ledger ledger, Said.Message said, @Nullable ByteBuffer message) {
        String name = "m" + said.number();
        byte[] content = ledger.peer.said.content(said);
        if (content.length < Content.lengthMin(name) || ledger.sent(name) != null) {
            answer(ledger, content.length, Sending.BYTES);
            return;
        }
        ByteBuffer bytes = message != null ? message : ByteBuffer.wrap(content);
        int framed = plan.frames().framedLength(bytes.remaining());
        if (result(ledger, ledger.connection().send(bytes), framed, Sending.BYTES) == SendResult.QUEUED) {
            took(ledger, name, framed, Sending.BYTES);
        }
    }

    /** Sends a message on to another connection, unless it could not be told from that one's own. */
    private void relay(Ledger ledger, Said.Message said, Ask ask, @Nullable ByteBuffer message) {
        Ledger other = house.pick(ask.length());
        String name = "m" + said.number();
        byte[] content = ledger.peer.said.content(said);
        if (other == null || other.sent(name) != null || content.length < Content.lengthMin(name) || ledger.peer.urgentsSent > 0
                || (message != null && message.remaining() != content.length)) {
            answer(ledger, ask.size(), Sending.BYTES);
            return;
        }
        ByteBuffer bytes = message != null ? message : ByteBuffer.wrap(content);
        int framed = plan.frames().framedLength(content.length);
        if (result(other, other.connection().send(bytes), framed, Sending.BYTES) == SendResult.QUEUED) {
            took(other, name, framed, Sending.BYTES).relayedLength = content.length;
        }
    }

    private void answers(Ledger ledger, Ask ask, Sending sending) {
        for (int i = 0; i < ask.count(); i++) {
            answer(ledger, ask.size(), sending);
        }
    }

    /** Sends a message of about that length: long enough to be known again. */
    SendResult answer(Ledger ledger, int size, Sending sending) {
        Connection connection = ledger.connection();
        String name = "r" + ledger.numbers++;
        byte[] content = Content.of(name, Math.max(size, Content.lengthMin(name)), plan.frames());
        SendResult result;
        if (sending == Sending.TEXT) {
            result = connection.send(new String(content, java.nio.charset.StandardCharsets.US_ASCII));
        } else if (ledger.numbers % 3 == 0 && content.length + OFFSET <= scene.sending.capacity()) {
            result = sendFromWithin(ledger, content, sending);
        } else {
            result = switch (sending) {
                case BYTES, TEXT -> connection.send(content);
                case OFFER -> connection.offer(content);
                case AHEAD -> connection.sendFirst(content);
            };
        }
        int framed = plan.frames().framedLength(content.length);
        result(ledger, result, framed, sending);
        if (result == SendResult.QUEUED) {
            took(ledger, name, framed, sending);
        }
        return result;
    }

    /** From the middle of a buffer that is used again at once. */
    private SendResult sendFromWithin(Ledger ledger, byte[] content, Sending sending) {
        Connection connection = ledger.connection();
        int end = OFFSET + content.length;
        ByteBuffer message = scene.sending.clear().put(OFFSET, content).limit(end).position(OFFSET);
        SendResult result = switch (sending) {
            case BYTES, TEXT -> connection.send(message);
            case OFFER -> connection.offer(message);
            case AHEAD -> connection.sendFirst(message);
        };
        if (message.limit() != end || message.position() != (result == SendResult.QUEUED ? end : OFFSET)) {
            scene.findings.report(Rule.BYTES, ledger + " answers " + result + " to a message from " + OFFSET + " to " + end
                    + " of a buffer, and leaves that at " + message);
        }
        message.clear().limit(Math.min(message.capacity(), end));
        for (int i = 0; i < Math.min(end, 64); i++) {
            message.put((byte) '?');
        }
        return result;
    }

    private SendResult result(Ledger ledger, SendResult result, int framed, Sending sending) {
        order.answered(ledger, result, framed, sending);
        if (ledger.connection().queue().isHigh()) {
            if (!ledger.wasHigh) {
                scene.tally.add("limit", Limit.QUEUE_HIGH);
            }
            ledger.wasHigh = true;
        }
        return result;
    }

    private Sent took(Ledger ledger, String name, int framed, Sending sending) {
        Sent sent = new Sent(house.nextOrder(), name, framed, sending == Sending.AHEAD, house.origin(ledger));
        if (sent.ahead && sent.origin == House.OWN && ledger.wire != null) { // from elsewhere it is put in its place later
            sent.leftBefore = ledger.wire.bytesOut + ledger.wire.lentBytes;
        }
        ledger.add(sent);
        if (scene.timeline.isTold()) {
            scene.timeline.tell(told(ledger, "is given " + name + ", " + framed + " bytes"
                    + (sending == Sending.AHEAD ? ", ahead of all" : "")));
        }
        return sent;
    }

    /** As a well-behaved producer: stops at the high mark, and goes on when told. */
    private void pump(Ledger ledger) {
        while (ledger.pumpLeft > 0 && !ledger.connection().queue().isHigh()) {
            ledger.pumpLeft--;
            if (answer(ledger, ledger.pumpSize, Sending.OFFER) == SendResult.CLOSED) {
                return;
            }
        }
        if (ledger.pumpLeft > 0) {
            ledger.wasHigh = true;
        }
    }

    private void tellAnother(Ledger ledger, Ask ask) {
        Ledger other = house.pick(ask.length());
        if (other != null && !plan.pureEcho()) {
            answer(other, ask.size(), ask.count() % 2 == 0 ? Sending.AHEAD : Sending.BYTES);
        } else {
            answer(ledger, ask.size(), Sending.BYTES);
        }
    }

    void pause(Ledger ledger, long nanos) {
        if (ledger.pausedByApplication || scene.healed) {
            return;
        }
        Connection connection = ledger.connection();
        connection.pauseReading();
        if (house.origin(ledger) == House.OWN) {
            ledger.isPaused(true, scene.now());
        } else { // it takes effect later: just before this does
            connection.execute(() -> ledger.isPaused(!scene.healed, scene.now()));
        }
        schedule(ledger, nanos, () -> resume(ledger));
    }

    private void blink(Ledger ledger) {
        if (!ledger.pausedByApplication) {
            ledger.isPaused(true, scene.now());
            ledger.connection().pauseReading();
            resume(ledger);
        }
    }

    private void resume(Ledger ledger) {
        if (ledger.pausedByApplication) { // else it changes nothing, and no deadline begins anew
            ledger.pausedByApplication = false;
            ledger.lastResumeNanos = scene.now();
        }
        ledger.connection().resumeReading();
    }

    private void schedule(Ledger ledger, long delayNanos, Runnable task) {
        long dueNanos = scene.now() + delayNanos;
        ledger.timersAsked++;
        ledger.timersDueNanos = Math.max(ledger.timersDueNanos, dueNanos);
        ledger.connection().schedule(Duration.ofNanos(delayNanos), () -> {
            order.timer(ledger, dueNanos);
            task.run();
        });
    }

    private void urgent(Ledger ledger) {
        if (!plan.frames().isPrefixed() || ledger.urgentsSent == 0) {
            int before = order.urgentsOut(ledger);
            ledger.connection().sendUrgent((byte) (Content.URGENT_MIN + ledger.urgentsSent % 100));
            ledger.urgentsSent++;
            order.urgentSent(ledger, before);
        }
    }

    void finish(Ledger ledger) {
        ledger.finished = true;
        ledger.finishedOnLoop |= house.origin(ledger) == House.OWN; // from elsewhere it takes effect later
        ledger.connection().finish();
    }

    void close(Ledger ledger) {
        ledger.closedByApplication = true;
        ledger.connection().close();
    }

    /** From the healing on: nobody is made to wait any more. */
    void goAway(Ledger ledger) {
        resume(ledger);
    }

    private static String told(Ledger ledger, String what) {
        return ledger + " " + what;
    }
}
