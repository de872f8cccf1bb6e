package io.trivet.server;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.LoopEvent;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Cuts received bytes into messages, and delivers them to the handler. What cannot be delivered yet is held in {@link
 * PartialInputs}. One thread.
 */
@SuppressWarnings("ReferenceEquality") // buffers are compared by identity: equals would compare their bytes
final class Delivery {
    /**
     * Maximum number of messages that one delivery passes to a connection's handler. The rest follows after the other
     * connections.
     */
    static final int MESSAGES_PER_DELIVERY_MAX = 1024;

    private static final ByteBuffer NOTHING = ByteBuffer.allocateDirect(0).asReadOnlyBuffer();

    private final TurnClock clock;
    private final Counters counters;
    private final PartialInputs partialInputs;
    private final BudgetGuard budgetGuard;
    private final ReadGate gate;
    private final ReplyBatch batch;
    private final Sender sender;
    private final Lifecycle lifecycle;
    private final ConnectionDeadlines deadlines;
    private final CloseRequests closeRequests;
    private final Callbacks callbacks;
    private final FrameFinder frame = new FrameFinder();
    /** True while {@code onMessage} or {@code onPart} of the batch's connection is being called: only these may request parts. */
    private boolean isReceiving;
    /** Read-only views of received memory, for handlers. */
    private final ViewsByMemory<ByteBuffer> views = new ViewsByMemory<>(ByteBuffer::asReadOnlyBuffer);

    Delivery(TurnClock clock, Counters counters, PartialInputs partialInputs, BudgetGuard budgetGuard, ReadGate gate,
            ReplyBatch batch, Sender sender,
            Lifecycle lifecycle, ConnectionDeadlines deadlines, CloseRequests closeRequests, Callbacks callbacks) {
        this.clock = clock;
        this.counters = counters;
        this.partialInputs = partialInputs;
        this.budgetGuard = budgetGuard;
        this.gate = gate;
        this.batch = batch;
        this.sender = sender;
        this.lifecycle = lifecycle;
        this.deadlines = deadlines;
        this.closeRequests = closeRequests;
        this.callbacks = callbacks;
    }

    /** Delivers what has arrived for an open connection, or holds it after input that is held already. */
    void received(ConnectionRecord connection, ByteBuffer bytes, int from, int to) {
        if (connection.partialInput() == null && !connection.isPaused()) {
            InputSink sink = connection.inputSink();
            if (sink == null) {
                deliverReceived(connection, bytes, from, to);
            } else {
                passOn(connection, sink, bytes, from, to);
            }
            return;
        }
        hold(connection, bytes, from, to); // if it is paused, this had completed before receiving stopped
        if (connection.mayDeliver()) {
            deliverPartialInput(connection);
        }
        budgetGuard.enforce(connection); // last, because most input is delivered at once
    }

    /**
     * Called when the framing of a connection has changed. Schedules held input to be decoded under the new framing, unless it is
     * being delivered, or reading is paused.
     */
    void framingChanged(ConnectionRecord connection) {
        PartialInput input = connection.partialInput();
        if (input != null) {
            input.scanned = 0;
            if (connection.takesInput() && !batch.collectsFor(connection)) {
                gate.deliverLater(connection);
            }
        }
    }

    /**
     * Delivers the bytes after the current message in parts.
     *
     * @param bytes the number of these bytes; Long.MAX_VALUE: until the end of input
     * @throws IllegalStateException no message or last part of the connection is being delivered
     */
    void receiveParts(ConnectionRecord connection, long bytes) {
        if (!isReceiving || !batch.collectsFor(connection) || connection.partBytesLeft() != ColdState.NO_PARTS) {
            throw new IllegalStateException("receiveParts must be called within onMessage, or within onPart with the last part");
        }
        connection.partBytesLeft(bytes);
    }

    /** Continues the deliveries that were cut short, and returns how many there were. */
    int continuePending() {
        int count = gate.pendingCount();
        for (int i = 0; i < count; i++) {
            deliverPartialInput(gate.takePending());
        }
        return count;
    }

    private void deliverReceived(ConnectionRecord connection, ByteBuffer bytes, int from, int to) {
        batch.begin(connection, bytes, to);
        int delivered;
        try {
            delivered = deliver(connection, bytes, views.of(bytes), from, to, 0, true);
        } finally {
            endBatch(connection);
        }
        if (delivered < to && connection.wantsInput()) { // also a relay that was started before the connection was finished
            hold(connection, bytes, delivered, to);
            afterDelivery(connection);
            budgetGuard.enforce(connection);
        }
        sender.flush(connection);
    }

    /** Passes received bytes to what takes them in place of the decoder. What it leaves is held, or delivered if it has ended. */
    private void passOn(ConnectionRecord connection, InputSink sink, ByteBuffer bytes, int from, int to) {
        ByteBuffer view = views.of(bytes).limit(to).position(from);
        sink.take(view);
        int taken = view.position();
        if (taken < to && connection.wantsInput()) {
            received(connection, bytes, taken, to);
        }
    }

    private void hold(ConnectionRecord connection, ByteBuffer bytes, int from, int to) {
        if (!partialInputs.add(connection, bytes, from, to)) {
            budgetGuard.refuse(connection);
        }
    }

    private void deliverPartialInput(ConnectionRecord connection) {
        PartialInput input = connection.partialInput();
        InputSink sink = connection.inputSink();
        if (input != null && sink != null && connection.wantsInput() && connection.mayDeliver()) {
            sink.takeHeld();
        } else if (input != null && connection.takesInput()) {
            batch.begin(connection, null, 0);
            partialInputs.beginDelivery(input);
            int delivered = input.from();
            boolean isStillHeld;
            try {
                delivered = deliver(connection, input.buffer(), input.view(), input.from(), input.to(), input.scanned, false);
            } finally {
                endBatch(connection);
                isStillHeld = partialInputs.endDelivery(connection, input);
            }
            if (isStillHeld) { // even if the connection has ended: its relay must not send what was delivered
                input.deliveredTo(delivered, clock.now());
                if (connection.wantsInput()) {
                    afterDelivery(connection);
                }
            }
        }
        if (input == null && connection.partBytesLeft() == 0 && connection.takesInput()) {
            deliverNothing(connection);
        }
        if (connection.is(ConnectionRecord.END_OF_INPUT_PENDING) && connection.wantsInput() && connection.mayDeliver()) {
            connection.clear(ConnectionRecord.END_OF_INPUT_PENDING);
            deliverEndOfInput(connection);
        }
        gate.update(connection); // the handler may have paused and resumed, and meanwhile everything was delivered
        sender.flush(connection);
    }

    /** Delivers the parts that need no bytes. */
    private void deliverNothing(ConnectionRecord connection) {
        batch.begin(connection, null, 0);
        try {
            deliver(connection, NOTHING, NOTHING, 0, 0, 0, false);
        } finally {
            endBatch(connection);
        }
    }

    private void endBatch(ConnectionRecord connection) {
        isReceiving = false;
        sender.sendReplies(connection);
        batch.end();
    }

    /**
     * Delivers whole messages until there is none, or the handler pauses or closes the connection.
     *
     * @param in the bytes
     * @param view a read-only view of them, for the handler
     * @param begin the index of the first byte
     * @param to the index after the last byte
     * @param scannedBefore the number of bytes that contain no end of a message
     * @param isReceivedMemory true if {@code in} is the received memory, which replies may be sent from
     * @return the index after the last message that was delivered
     */
    private int deliver(ConnectionRecord connection, ByteBuffer in, ByteBuffer view, int begin, int to, int scannedBefore,
            boolean isReceivedMemory) {
        int from = begin;
        frame.begin(scannedBefore);
        int frames = 0;
        int messages = 0;
        int traced = 0;
        long partBytesLeft = connection.partBytesLeft();
        while ((from < to || partBytesLeft == 0) && connection.takesInput()) {
            if (frames == MESSAGES_PER_DELIVERY_MAX) {
                gate.deliverLater(connection);
                break;
            }
            boolean isPart = partBytesLeft != ColdState.NO_PARTS;
            int payloadFrom = from;
            int payloadTo = from + (int) Math.min(to - from, partBytesLeft);
            if (isPart) {
                partBytesLeft -= partBytesLeft == Long.MAX_VALUE ? 0 : payloadTo - from;
                connection.partBytesLeft(partBytesLeft == 0 ? ColdState.NO_PARTS : partBytesLeft);
                from = payloadTo;
                frame.begin(0);
            } else if (decode(connection, in, view, from, to)) {
                from = frame.end();
                payloadFrom = frame.payloadFrom();
                payloadTo = frame.payloadTo();
            } else {
                break;
            }
            frames++;
            if (isPart || !frame.isSkipped()) {
                view.limit(payloadTo).position(payloadFrom).order(ByteOrder.BIG_ENDIAN);
                batch.message(isReceivedMemory ? view : null);
                isReceiving = true;
                if (isPart) {
                    callbacks.part(connection, view, partBytesLeft == 0);
                } else {
                    messages++;
                    callbacks.message(connection, view);
                }
                isReceiving = false;
                batch.message(null);
                partBytesLeft = connection.partBytesLeft();
                if (connection.hasReachedHigh()) { // a handler that sends long replies is paused between two messages
                    traceDelivered(connection, messages - traced);
                    traced = messages;
                    sender.sendReplies(connection);
                    sender.flush(connection);
                }
            }
        }
        if (messages > 0) {
            connection.set(ConnectionRecord.RECEIVED_MESSAGE);
            counters.add(Counters.MESSAGES_IN, messages);
            traceDelivered(connection, messages - traced);
            if (connection.hasSession()) {
                callbacks.delivered(connection); // once for all messages: waking a thread costs more than they do
            }
        }
        return from;
    }

    private void traceDelivered(ConnectionRecord connection, int messages) {
        if (messages > 0) {
            counters.trace.event(LoopEvent.DELIVERED, connection.handle, messages);
        }
    }

    /**
     * Finds the next frame, and stores it in {@link #frame}.
     *
     * @return false if it is incomplete, or ends the connection: it is too long, or breaks the protocol
     */
    private boolean decode(ConnectionRecord connection, ByteBuffer in, ByteBuffer view, int from, int to) {
        frame.use(connection.profile(), connection.decoder()); // a handler may have changed them
        try {
            if (frame.find(in, view, from, to)) {
                return connection.isOpen(); // the decoder itself may have ended the connection
            }
        } catch (Exception e) { // this includes checked exceptions that were thrown without being declared
            closeRequests.protocolError(connection, e);
            return false;
        }
        if (frame.isTooLong() && connection.isOpen()) {
            closeRequests.messageTooLong(connection, frame.messageBytes(), frame.isIncomplete());
        }
        return false;
    }

    /** Starts the deadline of an incomplete message; or keeps whole messages while reading is paused. */
    private void afterDelivery(ConnectionRecord connection) {
        PartialInput input = connection.partialInput();
        if (input == null) {
            return;
        }
        if (input.bytes() == 0) {
            partialInputs.drop(connection);
        } else {
            input.shrink();
            if (connection.mayDeliver()) {
                input.scanned = frame.scanned();
                deadlines.startMessage(connection, input.beganNanos);
            }
        }
        gate.update(connection);
    }

    /** The peer's FIN has arrived. Messages that are held come first. */
    void inputEnded(ConnectionRecord connection) {
        if (connection.mayDeliver()) {
            deliverEndOfInput(connection);
        } else {
            connection.set(ConnectionRecord.END_OF_INPUT_PENDING);
        }
    }

    private void deliverEndOfInput(ConnectionRecord connection) {
        if (connection.is(ConnectionRecord.INPUT_TRUNCATED)) { // neither parts nor an unfinished message are complete
            closeRequests.truncated(connection);
            return;
        }
        InputSink sink = connection.inputSink();
        if (sink != null) {
            sink.end();
            if (connection.inputSink() == sink || !mayEndInput(connection)) {
                return; // the relay was cut, and so is the connection; or it drains, or another relay has started
            }
        }
        if (!endParts(connection)) {
            return;
        }
        PartialInput rest = connection.partialInput();
        if (rest != null && (!deliverRemainder(connection, rest) || !endParts(connection))) {
            return;
        }
        connection.state(ConnectionState.INPUT_ENDED);
        callbacks.endOfInput(connection);
        if (connection.is(ConnectionRecord.OUTPUT_FINISHED)) {
            lifecycle.finish(connection, CloseReason.FINISHED); // both sides have finished
        }
        sender.flush(connection);
    }

    /**
     * Ends the parts that are still expected at the end of input: with a last one, if no byte of them is missing. The handler may
     * request further parts there.
     *
     * @return false if the end of input is not to be delivered now
     */
    private boolean endParts(ConnectionRecord connection) {
        int parts = 0;
        for (long left = connection.partBytesLeft(); left != ColdState.NO_PARTS; left = connection.partBytesLeft()) {
            if (parts++ == MESSAGES_PER_DELIVERY_MAX) {
                connection.set(ConnectionRecord.END_OF_INPUT_PENDING);
                gate.deliverLater(connection);
                return false;
            }
            connection.partBytesLeft(ColdState.NO_PARTS);
            if (left == 0 || left == Long.MAX_VALUE) {
                deliverLastPart(connection);
                if (!mayEndInput(connection)) {
                    return false;
                }
            } else if (connection.profile().framing().remainder() == Remainder.ERROR) {
                closeRequests.protocolError(connection, new ProtocolException("the input ended " + left + " bytes too early"));
                return false;
            }
        }
        return true;
    }

    private void deliverLastPart(ConnectionRecord connection) {
        batch.begin(connection, null, 0);
        isReceiving = true;
        try {
            callbacks.part(connection, NOTHING, true);
        } finally {
            endBatch(connection);
        }
    }

    /** Sends the replies to the last message or part. Returns true unless it has ended the connection or paused reading. */
    private boolean mayEndInput(ConnectionRecord connection) {
        sender.flush(connection);
        if (connection.state() == ConnectionState.OPEN && !connection.mayDeliver()) {
            connection.set(ConnectionRecord.END_OF_INPUT_PENDING);
        }
        return connection.state() == ConnectionState.OPEN && connection.mayDeliver();
    }

    /**
     * Handles a message that is unfinished at the end of input.
     *
     * @return false if the end of input is not to be delivered now: the connection has ended, or reading is paused
     */
    private boolean deliverRemainder(ConnectionRecord connection, PartialInput rest) {
        return switch (connection.profile().framing().remainder()) {
            case DROP -> {
                partialInputs.drop(connection);
                yield true;
            }
            case ERROR -> {
                closeRequests.protocolError(connection,
                        new ProtocolException("the input ended after " + rest.bytes() + " bytes of an unfinished message"));
                yield false;
            }
            case DELIVER -> {
                if (rest.bytes() > connection.profile().limits().messageBytesMax()) {
                    closeRequests.messageTooLong(connection, rest.bytes(), false);
                    yield false;
                }
                deliverLast(connection, rest);
                yield mayEndInput(connection);
            }
        };
    }

    private void deliverLast(ConnectionRecord connection, PartialInput rest) {
        batch.begin(connection, null, 0);
        partialInputs.beginDelivery(rest);
        connection.set(ConnectionRecord.RECEIVED_MESSAGE);
        counters.add(Counters.MESSAGES_IN, 1);
        counters.trace.event(LoopEvent.DELIVERED, connection.handle, 1);
        boolean isStillHeld;
        isReceiving = true;
        try {
            callbacks.message(connection, rest.view().limit(rest.to()).position(rest.from()).order(ByteOrder.BIG_ENDIAN));
            if (connection.hasSession()) {
                callbacks.delivered(connection); // the end of input will not wake it if the message has paused reading
            }
        } finally {
            endBatch(connection);
            isStillHeld = partialInputs.endDelivery(connection, rest);
        }
        if (isStillHeld) {
            partialInputs.drop(connection);
        }
    }
}
