package io.trivet.scenarios;

import io.trivet.observe.ConnectionState;
import io.trivet.server.SendResult;
import io.trivet.sim.Fault;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Does what a client's message requests of the application. */
final class RequestExecutor {
    private final RunContext context;
    private final ServerUnderTest server;
    private final ServerPlan plan;
    private final ConnectionActions actions;

    RequestExecutor(RunContext context, ServerUnderTest server) {
        this.context = context;
        this.server = server;
        plan = server.plan;
        actions = server.actions;
    }

    /**
     * Executes a request.
     *
     * @param model the connection that the message came from
     * @param received the message
     * @param request what the message requests
     * @param message the bytes in the receive buffer; null with raw framing, where a message may come in several pieces
     * @throws Exception if the request is to throw
     */
    void execute(ConnectionModel model, SentStream.Message received, Request request, @Nullable ByteBuffer message)
            throws Exception {
        switch (request.kind()) {
            case NO_REPLY -> {
                // There is nothing to do.
            }
            case ECHO -> echo(model, received, message);
            case REPLY -> replies(model, request, SendMethod.BYTES);
            case REPLY_STREAM -> actions.stream(model, request.size(), request.count());
            case REPLY_TEXT -> replies(model, request, SendMethod.TEXT);
            case OFFER -> replies(model, request, SendMethod.OFFER);
            case REPLY_FIRST -> {
                actions.reply(model, request.size(), SendMethod.BYTES);
                actions.reply(model, 20, SendMethod.FIRST);
            }
            case PUMP -> {
                model.pumpLeft += request.count();
                model.pumpSize = request.size();
                actions.pump(model);
            }
            case REPLY_LATER -> actions.schedule(model, request.delayNanos(),
                    () -> actions.reply(model, request.size(), SendMethod.BYTES));
            case REPLY_IN_TASK -> actions.execute(model, () -> actions.reply(model, request.size(), SendMethod.BYTES));
            case BROADCAST -> server.broadcasts.send(request.size());
            case MESSAGE_TO_OTHER -> messageToOther(model, request);
            case TASK_ON_OTHER -> {
                ConnectionModel other = server.pick(request.length());
                if (other == null) {
                    return;
                }
                actions.execute(other, () -> actions.reply(other, request.size(), SendMethod.BYTES));
                actions.schedule(other, request.delayNanos(), () -> actions.reply(other, request.size(), SendMethod.FIRST));
            }
            case RENEW_TIMER -> renewTimer(model, request);
            case RENEW_TIMER_OF_OTHER -> {
                ConnectionModel other = server.pick(request.length());
                renewTimer(other == null ? model : other, request);
            }
            case SERVER_TASKS -> server.tasks.executeAndSchedule(request.delayNanos());
            case TASKS -> {
                for (int i = 0; i < request.count(); i++) {
                    actions.execute(model, () -> context.progress++);
                }
            }
            case TIMERS -> timers(model, request);
            case EMPTY_REPLY -> replyEmpty(model);
            case FILL_QUEUE -> {
                int length = plan.framing().lengthWithin(plan.limits().queueBytesMax());
                boolean fits = length <= Math.min(plan.framing().lengthMax(), context.sendBuffer.capacity());
                actions.reply(model, fits ? length : request.size(), SendMethod.OFFER);
            }
            case RELAY -> relay(model, received, request, message);
            case PAUSE -> actions.pause(model, request.delayNanos());
            case PAUSE_AND_RESUME -> actions.pauseAndResume(model);
            case PAUSE_OTHER -> {
                ConnectionModel other = server.pick(request.length());
                actions.pause(other == null ? model : other, request.delayNanos());
            }
            case URGENT -> actions.sendUrgent(model);
            case FINISH_OUTPUT -> {
                actions.reply(model, request.size(), SendMethod.BYTES);
                model.outputFinished = true;
                model.connection().finishOutput();
            }
            case FINISH -> {
                actions.reply(model, request.size(), SendMethod.BYTES);
                actions.finish(model);
            }
            case CLOSE -> actions.close(model);
            case RESET -> actions.reset(model);
            case REPLY_REPORTED -> actions.replyReported(model, request.size());
            case SAME_LIMITS -> {
                setSameLimits(model);
                actions.schedule(model, request.delayNanos(), () -> setSameLimits(model));
            }
            case SET_OPTION -> setOption(model, request.length() % 2 == 0);
            case NEXT_IN_PARTS -> nextInParts(model, received);
            case THROW -> throw handlerException(model);
            case THROW_IN_TASK -> actions.execute(model, () -> {
                context.progress++;
                TestExceptions.throwUndeclared(received.number());
            });
            case THROW_IN_TIMER -> actions.schedule(model, request.delayNanos(), () -> {
                model.hasThrown = true;
                TestExceptions.throwUndeclared(received.number());
            });
        }
    }

    private static void setSameLimits(ConnectionModel model) {
        model.connection().limits(model.connection().limits());
    }

    private void setOption(ConnectionModel model, boolean value) {
        try {
            model.connection().setOption(StandardSocketOptions.TCP_NODELAY, value);
            boolean got = model.connection().getOption(StandardSocketOptions.TCP_NODELAY);
            if (got != value) {
                context.failures.report(Rule.CALLBACKS, model + ": TCP_NODELAY is " + got + " after it was set to " + value);
            }
        } catch (IOException e) {
            boolean ended = model.connection().state() == ConnectionState.CLOSED || model.client.hasBrokenConnection()
                    || model.client.isAffectedBy(Fault.RESET);
            if (!ended) {
                context.failures.report(Rule.CRASH, model + ": an option cannot be set", e);
            }
        }
    }

    /** Receives all bytes up to the end of the next message in parts, if that message will be complete. */
    private void nextInParts(ConnectionModel model, SentStream.Message received) {
        List<SentStream.Message> messages = model.client.sentStream.messages();
        int next = received.number() + 1;
        boolean expected = next < messages.size() && messages.get(next).request() != null && !context.sendsUrgent
                && !plan.framing().isRaw() && !plan.framing().upgrades();
        if (expected && model.connection().state() == ConnectionState.OPEN) {
            model.partsFrom = received.to();
            model.connection().receiveParts(messages.get(next).to() - received.to());
        }
    }

    /** Returns an exception for a callback to throw. The exception closes the connection, unless it is closed already. */
    static Exception handlerException(ConnectionModel model) {
        model.hasThrown = model.connection().state() != ConnectionState.CLOSED;
        return TestExceptions.of(model.client.plan.number());
    }

    private void replies(ConnectionModel model, Request request, SendMethod method) {
        for (int i = 0; i < request.count(); i++) {
            actions.reply(model, request.size(), method);
        }
    }

    private void renewTimer(ConnectionModel model, Request request) {
        actions.renewTimer(model, request.delayNanos(), () -> actions.reply(model, request.size(), SendMethod.BYTES));
    }

    /** Schedules timers without a delay, and others of which each second one is due at the same time as the first. */
    private void timers(ConnectionModel model, Request request) {
        for (int i = 0; i < request.count(); i++) {
            switch (i % 4) {
                case 0 -> actions.schedule(model, 0, () -> {
                    if (!model.isOver()) {
                        actions.schedule(model, 0, () -> {});
                    }
                });
                case 1 -> actions.schedule(model, request.delayNanos() / (i + 1), () -> {});
                default -> actions.schedule(model, request.delayNanos(), () -> {});
            }
        }
    }

    private void replyEmpty(ConnectionModel model) {
        int framed = plan.framing().framedLength(0);
        SendResult result = model.connection().send(new byte[0]);
        boolean queued = actions.checkResult(model, result, framed, SendMethod.BYTES) == SendResult.QUEUED;
        if (queued && !plan.framing().isRaw()) { // with raw framing no byte would arrive
            model.emptySent++;
            model.accepted(framed);
        }
    }

    /** Sends a message back, from the receive buffer if the message lies there. */
    private void echo(ConnectionModel model, SentStream.Message received, @Nullable ByteBuffer message) {
        String name = "m" + received.number();
        byte[] content = model.client.sentStream.content(received);
        if (content.length < MessageContent.lengthMin(name) || model.sent(name) != null) {
            actions.reply(model, content.length, SendMethod.BYTES);
            return;
        }
        ByteBuffer bytes = message != null ? message : ByteBuffer.wrap(content);
        int framed = plan.framing().framedLength(bytes.remaining());
        SendResult result = actions.checkResult(model, model.connection().send(bytes), framed, SendMethod.BYTES);
        if (result == SendResult.QUEUED) {
            actions.recordAccepted(model, name, framed, SendMethod.BYTES);
        }
    }

    /** Forwards a message to another connection, unless it could be mistaken for one of that connection's own messages. */
    private void relay(ConnectionModel model, SentStream.Message received, Request request, @Nullable ByteBuffer message) {
        ConnectionModel other = server.pick(request.length());
        String name = "m" + received.number();
        byte[] content = model.client.sentStream.content(received);
        if (other == null || other.sent(name) != null || content.length < MessageContent.lengthMin(name)
                || model.client.urgentsSent > 0 || (message != null && message.remaining() != content.length)) {
            actions.reply(model, request.size(), SendMethod.BYTES);
            return;
        }
        ByteBuffer bytes = message != null ? message : ByteBuffer.wrap(content);
        int framed = plan.framing().framedLength(content.length);
        SendResult result = actions.checkResult(other, other.connection().send(bytes), framed, SendMethod.BYTES);
        if (result == SendResult.QUEUED) {
            actions.recordAccepted(other, name, framed, SendMethod.BYTES).relayedLength = content.length;
        }
    }

    private void messageToOther(ConnectionModel model, Request request) {
        ConnectionModel other = server.pick(request.length());
        if (other != null && !plan.pureEcho()) {
            actions.reply(other, request.size(), request.count() % 2 == 0 ? SendMethod.FIRST : SendMethod.BYTES);
        } else {
            actions.reply(model, request.size(), SendMethod.BYTES);
        }
    }
}
