package io.trivet.scenarios;

import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.SendResult;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * The calls that the application makes on connections. Each call is recorded in the connection's model, and its result is
 * checked.
 */
final class ConnectionActions {
    /** Position of a message that is sent from the middle of a buffer. */
    private static final int OFFSET = 5;

    /** The number of reads of a stream whose source ends too early. */
    private static final int CUT_READS = 5;

    private final RunContext context;
    private final ServerUnderTest server;
    private final ServerPlan plan;
    private final CallbackChecker callbacks;

    ConnectionActions(RunContext context, ServerUnderTest server) {
        this.context = context;
        this.server = server;
        plan = server.plan;
        callbacks = new CallbackChecker(context);
    }

    // ---- sending

    /** Sends a message of the given size, or longer if its name needs more bytes. */
    SendResult reply(ConnectionModel model, int size, SendMethod method) {
        Connection connection = model.connection();
        String name = "r" + model.nextReplyNumber++;
        byte[] content = MessageContent.of(name, Math.max(size, MessageContent.lengthMin(name)), plan.framing());
        SendResult result;
        if (method == SendMethod.TEXT && MessageContent.isAscii(content)) {
            result = connection.send(new String(content, StandardCharsets.US_ASCII));
        } else if (model.nextReplyNumber % 3 == 0 && content.length + OFFSET <= context.sendBuffer.capacity()) {
            result = sendFromMiddle(model, content, method);
        } else {
            result = switch (method) {
                case BYTES, TEXT -> connection.send(content);
                case OFFER -> connection.offer(content);
                case FIRST -> connection.sendFirst(content);
            };
        }
        int framed = plan.framing().framedLength(content.length);
        checkResult(model, result, framed, method);
        if (result == SendResult.QUEUED) {
            recordAccepted(model, name, framed, method);
        }
        return result;
    }

    /** Streams a message of the given size. It is read about {@code reads} times; for some counts its source ends too early. */
    void stream(ConnectionModel model, int size, int reads) {
        Connection connection = model.connection();
        String name = "r" + model.nextReplyNumber++;
        byte[] content = MessageContent.of(name, Math.max(size, MessageContent.lengthMin(name)), plan.framing());
        byte[] framed = plan.framing().frame(content, model.upgraded);
        boolean isCut = reads == CUT_READS;
        StreamedReply reply = new StreamedReply(context, model, framed, reads, isCut,
                () -> execute(model, connection::continueTransfer));
        server.raiseBudgetBound(framed.length);
        SendResult result = connection.sendFrom(reply, isCut || reads % 2 == 0 ? framed.length : -1, reply);
        model.hasStreamed = true;
        model.wasFull |= result == SendResult.FULL;
        if (result == SendResult.QUEUED) {
            model.openStreams++;
            model.cutsStream |= isCut;
            recordAccepted(model, name, framed.length, SendMethod.BYTES).upgraded = model.upgraded;
        }
    }

    /** Sends a message with a listener. */
    void replyReported(ConnectionModel model, int size) {
        String name = "r" + model.nextReplyNumber++;
        byte[] content = MessageContent.of(name, Math.max(size, MessageContent.lengthMin(name)), plan.framing());
        int framed = plan.framing().framedLength(content.length);
        ReportedReply report = new ReportedReply(context, model, framed);
        server.raiseBudgetBound(framed);
        SendResult result = model.connection().send(ByteBuffer.wrap(content), report);
        model.hasStreamed = true;
        model.wasFull |= result == SendResult.FULL;
        if (result == SendResult.QUEUED) {
            model.openStreams++;
            recordAccepted(model, name, framed, SendMethod.BYTES);
        }
    }

    /** Sends from the middle of a buffer, and overwrites the buffer afterwards. */
    private SendResult sendFromMiddle(ConnectionModel model, byte[] content, SendMethod method) {
        Connection connection = model.connection();
        int end = OFFSET + content.length;
        ByteBuffer message = context.sendBuffer.clear().put(OFFSET, content).limit(end).position(OFFSET);
        SendResult result = switch (method) {
            case BYTES, TEXT -> connection.send(message);
            case OFFER -> connection.offer(message);
            case FIRST -> connection.sendFirst(message);
        };
        if (message.limit() != end || message.position() != (result == SendResult.QUEUED ? end : OFFSET)) {
            context.failures.report(Rule.BYTES,
                    model + ": a send from " + OFFSET + " to " + end + " of a buffer returned " + result
                            + " and left the buffer at " + message);
        }
        message.clear().limit(Math.min(message.capacity(), end));
        for (int i = 0; i < Math.min(end, 64); i++) {
            message.put((byte) '?');
        }
        return result;
    }

    SendResult checkResult(ConnectionModel model, SendResult result, int framed, SendMethod method) {
        callbacks.sendResult(model, result, framed, method);
        if (model.connection().queue().isHigh()) {
            if (!model.wasHigh) {
                context.tally.add("limit", Limit.QUEUE_HIGH);
            }
            model.wasHigh = true;
        }
        return result;
    }

    SentMessage recordAccepted(ConnectionModel model, String name, int framed, SendMethod method) {
        boolean first = method == SendMethod.FIRST;
        SentMessage sent = new SentMessage(server.nextOrder(), name, framed, first, server.origin(model));
        if (first && sent.origin == ServerUnderTest.OWN_LOOP && model.socket != null && !model.hasStreamed) { // from another loop it is queued later
            sent.bytesBefore = model.socket.bytesOut + model.socket.pendingBytes;
        }
        if (plan.framing().upgrades() && context.currentLoop == model.loopKey) { // from another loop it is framed later
            sent.upgraded = model.upgraded;
        }
        model.add(sent);
        if (context.timeline.isEnabled()) {
            context.timeline.log(model + ": sends " + name + ", " + framed + " bytes" + (first ? ", with sendFirst" : ""));
        }
        return sent;
    }

    /** Sends like a well-behaved producer: stops at the high mark, and continues when the queue has drained. */
    void pump(ConnectionModel model) {
        while (model.pumpLeft > 0 && !model.connection().queue().isHigh()) {
            model.pumpLeft--;
            if (reply(model, model.pumpSize, SendMethod.OFFER) == SendResult.CLOSED) {
                return;
            }
        }
        if (model.pumpLeft > 0) {
            model.wasHigh = true;
        }
    }

    void sendUrgent(ConnectionModel model) {
        if (!plan.framing().isPrefixed() || model.urgentsSent == 0) {
            int before = callbacks.urgentsOut(model);
            model.connection().sendUrgent((byte) (MessageContent.URGENT_MIN + model.urgentsSent % 100));
            model.urgentsSent++;
            callbacks.urgentSent(model, before);
        }
    }

    /** Changes the framing and the handler, unless the connection is closed. */
    void upgrade(ConnectionModel model) {
        if (context.timeline.isEnabled()) {
            context.timeline.log(model + ": upgrades");
        }
        model.upgraded = model.connection().state() != ConnectionState.CLOSED;
        model.connection().upgrade(plan.framing().toUpgradedFraming(), server.upgradedHandler(model));
    }

    // ---- reading

    void pause(ConnectionModel model, long nanos) {
        if (model.pausedByApplication || context.recovering) {
            return;
        }
        Connection connection = model.connection();
        connection.pauseReading();
        if (server.origin(model) == ServerUnderTest.OWN_LOOP) {
            model.setPaused(true, context.now());
        } else { // from another loop it takes effect later: just before this task
            connection.execute(() -> model.setPaused(!context.recovering, context.now()));
        }
        schedule(model, nanos, () -> resume(model));
    }

    void pauseAndResume(ConnectionModel model) {
        if (!model.pausedByApplication) {
            model.setPaused(true, context.now());
            model.connection().pauseReading();
            resume(model);
        }
    }

    void resume(ConnectionModel model) {
        if (model.pausedByApplication) { // otherwise the call changes nothing, and no deadline restarts
            model.pausedByApplication = false;
            model.lastResumeNanos = context.now();
        }
        model.connection().resumeReading();
    }

    // ---- tasks and the end

    ApplicationTimer schedule(ConnectionModel model, long delayNanos, Runnable task) {
        ApplicationTimer timer = new ApplicationTimer(context.now() + delayNanos);
        CheckedLoop loop = server.turningLoop();
        if (loop != null && context.currentLoop == model.loopKey) {
            loop.schedules(timer);
        }
        timer.task(model.connection().schedule(Duration.ofNanos(delayNanos), () -> {
            model.pendingTimers.remove(timer);
            callbacks.timer(model, timer);
            try {
                task.run();
            } finally {
                context.runsTimer = false;
            }
        }));
        model.pendingTimers.add(timer);
        return timer;
    }

    /**
     * Cancels the timer that the previous call scheduled on this connection, and schedules another, like an application with a
     * deadline for each request.
     */
    void renewTimer(ConnectionModel model, long delayNanos, Runnable task) {
        ApplicationTimer before = model.renewedTimer;
        if (before != null) {
            boolean wasOver = before.isOver();
            callbacks.cancelled(model, wasOver, before.cancel());
            model.pendingTimers.remove(before);
        }
        model.renewedTimer = schedule(model, delayNanos, task);
    }

    /** Runs a task on a connection's loop. It runs once, even if the connection is closed by then. */
    void execute(ConnectionModel model, Runnable task) {
        server.tasksLeft++;
        model.connection().execute(() -> {
            server.tasksLeft--;
            server.counters.task();
            if (model.loopKey != RunContext.OUTSIDE && !server.mayRunHere(model)) {
                context.failures.report(Rule.CALLBACKS,
                        model + ": a task for its loop runs on another loop, " + context.currentLoop);
            }
            task.run();
        });
    }

    void finish(ConnectionModel model) {
        model.finished = true;
        model.finishedOnOwnLoop |= server.origin(model) == ServerUnderTest.OWN_LOOP; // from another loop it takes effect later
        model.connection().finish();
    }

    void close(ConnectionModel model) {
        model.closedByApplication = true;
        model.connection().close();
    }

    void reset(ConnectionModel model) {
        model.closedByApplication = true;
        model.connection().reset();
    }
}
