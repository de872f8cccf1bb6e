package io.trivet.scenarios;

import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.Overflow;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Sends messages to all connections of a server. Finds out which connections have accepted a message by comparing their queues
 * before and after. On the calling loop, the queues are read before and after the call. The other loops handle a broadcast in a
 * task: there the queues are read in one task before it and one after it.
 */
final class Broadcasts {
    /**
     * A message to all connections.
     *
     * @param order its number among the messages of the server
     * @param name its name
     * @param origin the loop that it was sent from
     * @param length its bytes without a frame
     */
    record Broadcast(int order, String name, int origin, int length) {}

    private final RunContext context;
    private final ServerUnderTest server;
    private final ServerPlan plan;
    private final Map<String, Broadcast> byName = new LinkedHashMap<>();
    private boolean anyUnobserved;

    Broadcasts(RunContext context, ServerUnderTest server) {
        this.context = context;
        this.server = server;
        plan = server.plan;
    }

    @Nullable
    Broadcast get(String name) {
        return byName.get(name);
    }

    /** Returns true if it is unknown which connections have accepted some broadcast. */
    boolean anyUnobserved() {
        return anyUnobserved;
    }

    void send(int size) {
        if (plan.pureEcho()) {
            return;
        }
        String name = "b" + byName.size();
        byte[] content = MessageContent.of(name, Math.max(size, MessageContent.lengthMin(name)), plan.framing());
        Broadcast broadcast = new Broadcast(server.nextOrder(), name, context.currentLoop, content.length);
        byName.put(name, broadcast);
        if (context.timeline.isEnabled()) {
            context.timeline.log(server + ": broadcasts " + name + ", " + content.length + " bytes");
        }
        long toAll = (long) plan.framing().framedLength(content.length) * server.connections().size();
        server.raiseBudgetBound(toAll);
        for (ConnectionModel model : server.connections()) {
            if (model.connectsByName && model.phase == ConnectionModel.Phase.BEFORE_OPEN) {
                model.mayHoldUnknownBroadcast = true; // it does not tell whether its loop knows it yet
                anyUnobserved = true;
            }
        }
        int here = plan.loops() == 1 ? 0 : context.currentLoop == RunContext.OUTSIDE ? -1 : context.currentLoop & 0xff;
        for (int loop = 0; loop < plan.loops(); loop++) {
            if (loop == here) {
                recordBefore(loop);
            } else {
                runOnLoop(loop, this::recordBefore);
            }
        }
        server.instance().broadcast(ByteBuffer.wrap(content));
        for (int loop = 0; loop < plan.loops(); loop++) {
            if (loop == here) {
                recordAfter(broadcast, loop);
            } else {
                runOnLoop(loop, number -> recordAfter(broadcast, number));
            }
        }
    }

    private void runOnLoop(int loop, IntConsumer task) {
        Connection any = server.anyConnection(loop);
        if (any == null) {
            loop(loop).receivesUnknownBroadcast();
            anyUnobserved = true;
            return;
        }
        try {
            any.execute(() -> task.accept(loop));
        } catch (RejectedExecutionException e) {
            // The loop has ended and serves no connection.
        }
    }

    private CheckedLoop loop(int number) {
        return server.network().loops().get(number);
    }

    private void recordBefore(int loop) {
        List<ConnectionModel> connections = server.connections();
        for (int i = 0; i < connections.size(); i++) {
            ConnectionModel model = connections.get(i);
            if (ServerUnderTest.loopOf(model) == loop) {
                model.acceptedBefore = acceptedBytesOf(model);
                model.queuedBefore = model.connection().queue().bytes();
                model.turnBefore = loop(loop).turnCount();
                model.acceptedMessagesBefore = model.acceptsMessages();
                model.unknownBefore = model.mayHoldUnknownBroadcast;
                model.mayHoldUnknownBroadcast = true; // until recordAfter
            }
        }
    }

    private void recordAfter(Broadcast broadcast, int loop) {
        int framed = plan.framing().framedLength(broadcast.length());
        List<ConnectionModel> connections = server.connections();
        for (int i = 0; i < connections.size(); i++) {
            ConnectionModel model = connections.get(i);
            boolean sameTurn = model.turnBefore == loop(loop).turnCount(); // false if there were too many tasks for one turn
            anyUnobserved |= !sameTurn && ServerUnderTest.loopOf(model) == loop;
            if (ServerUnderTest.loopOf(model) == loop && sameTurn) {
                model.mayHoldUnknownBroadcast = model.unknownBefore;
                server.raiseBudgetBound(framed);
                recordAfter(model, broadcast, framed);
            }
        }
    }

    private void recordAfter(ConnectionModel model, Broadcast broadcast, int framed) {
        if (server.draining && model.phase == ConnectionModel.Phase.BEFORE_OPEN) {
            model.mayHoldUnknownBroadcast = true; // its loop may or may not have started to drain
            anyUnobserved = true;
            return;
        }
        boolean fits = model.queuedBefore + (long) framed <= plan.limits().queueBytesMax();
        if (model.connection().state() == ConnectionState.CLOSED) {
            model.wasFull |= model.acceptedMessagesBefore && !fits;
            if (model.acceptedMessagesBefore) { // closed because it did not fit, or after it had exceeded the budget
                server.counters.messageMayBeOut();
            }
            return;
        }
        if (model.hasStreamed) {
            model.mayHoldUnknownBroadcast = true; // a piece may have been read meanwhile
            if (model.acceptedMessagesBefore) {
                server.counters.messageMayBeOut();
            }
            return;
        }
        long more = acceptedBytesOf(model) - model.acceptedBefore;
        boolean accepted = more == framed
                || (more < framed && !fits && model.acceptedMessagesBefore && plan.overflow() == Overflow.DROP_OLDEST);
        if (accepted != model.acceptedMessagesBefore || (!accepted && more != 0)) {
            context.failures.report(Rule.DELIVERY,
                    model + (model.acceptedMessagesBefore ? ": accepted " : ": output ended, yet it accepted ")
                            + more + " bytes of broadcast " + broadcast.name() + ", which has " + framed);
        }
        if (accepted) {
            model.add(new SentMessage(broadcast.order(), broadcast.name(), framed, false,
                    context.currentLoop == broadcast.origin() ? ServerUnderTest.OWN_LOOP : broadcast.origin()));
            model.wasHigh |= model.connection().queue().isHigh();
            if (model.queuedBefore == 0) {
                model.queuedIntoEmptyNanos = context.now();
            }
        }
    }

    /**
     * Returns how many bytes a connection has accepted for sending so far, and not dropped: those in its queue, and those that
     * its socket has accepted.
     */
    private static long acceptedBytesOf(ConnectionModel model) {
        ObservedSocket socket = model.socket;
        return model.connection().queue().bytes() + (socket == null ? 0 : socket.bytesOut);
    }

    /**
     * Called when a connection is opened, and before its end is checked. If its loop handles an unobserved broadcast in this turn,
     * the connection may get it, and its queue may be full of it, before the turn is over.
     */
    void openedOrEnding(ConnectionModel model) {
        int current = context.currentLoop;
        if (current != RunContext.OUTSIDE && loop(current & 0xff).handlesUnknownBroadcast()) {
            model.mayHoldUnknownBroadcast = true;
        }
    }

    /** Called after a turn in which a loop handled a broadcast whose effect could not be observed. */
    void handledUnobserved(int loop) {
        List<ConnectionModel> connections = server.connections();
        for (int i = 0; i < connections.size(); i++) {
            if (ServerUnderTest.loopOf(connections.get(i)) == loop) {
                connections.get(i).mayHoldUnknownBroadcast = true;
            }
        }
    }
}
