package io.trivet.scenarios;

import io.trivet.server.Overflow;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Checks what a client receives against what its connection accepted for sending: every message complete, once, and in the order
 * of its lane.
 */
final class OutputChecker {
    private final RunContext context;
    private final Client client;
    private final FrameDecoder decoder;
    private int echoed;
    private int urgents;
    private int received;
    private long receivedBytes;
    /** The offset after the last message. */
    private long position;
    /** The offset of the last message that was not sent with sendFirst. */
    private long ordinaryFrom = -1;

    OutputChecker(RunContext context, Client client) {
        this.context = context;
        this.client = client;
        decoder = new FrameDecoder(client.server.plan.framing());
    }

    void received(ByteBuffer bytes) {
        if (context.plantedBug == PlantedBug.CANARY) {
            fail(Rule.CANARY, "receives bytes; nothing is wrong with them: this shows how a failure is reported");
        }
        receivedBytes += bytes.remaining();
        decoder.add(bytes);
        if (client.server.plan.pureEcho()) {
            echoed(decoder.takeAll());
            return;
        }
        for (byte[] content = decoder.next(); content != null; content = decoder.next()) {
            received++;
            long from = position;
            position += client.server.plan.framing().framedLength(content.length);
            message(content, from);
        }
    }

    private void echoed(byte[] bytes) {
        if (!client.sentStream.matches(bytes, echoed)) {
            fail(Rule.BYTES, "receives other bytes at offset " + echoed + " than it sent: " + InputChecker.shown(bytes));
        }
        echoed += bytes.length;
    }

    private void message(byte[] content, long from) {
        ConnectionModel model = client.model;
        String name = MessageContent.nameOf(content);
        if (model != null && content.length == 0) {
            if (++model.emptyReceived > model.emptySent) {
                fail(Rule.BYTES, "receives " + model.emptyReceived + " empty messages; sent were " + model.emptySent);
            }
            model.receivedMessages++;
            ordinaryFrom = from;
            return;
        }
        if (model == null || name.isEmpty()) {
            fail(Rule.BYTES, "receives a message that was not sent: " + InputChecker.shown(content));
            return;
        }
        SentMessage sent = model.sent(name);
        if (sent == null && name.charAt(0) == 'b' && model.mayHoldUnknownBroadcast) {
            ordinaryFrom = from;
            broadcast(model, name, content);
            return;
        }
        if (sent == null || !Arrays.equals(content, expected(sent, name, content.length))) {
            fail(Rule.BYTES, "receives a message that was not sent: " + InputChecker.shown(content));
            return;
        }
        // an echo may contain an urgent byte that has become an ordinary one; the decoder removes it
        boolean mixed = client.urgentsSent > 0;
        if (sent.upgraded != null && sent.upgraded != decoder.wasUpgraded()) {
            fail(Rule.BYTES, "receives " + name + " in the frame " + (decoder.wasUpgraded() ? "after" : "before")
                    + " the upgrade, and it was sent " + (sent.upgraded ? "after" : "before") + " it");
        }
        if (client.server.plan.framing().framedLength(content.length) != sent.framedLength
                && !(mixed && context.isExcused(Excuse.URGENT_MIXED))) {
            fail(Rule.BYTES, "receives " + name + " with " + content.length + " bytes");
        }
        if (sent.received) {
            fail(Rule.BYTES, "receives " + name + " a second time");
        }
        sent.received = true;
        model.receivedMessages++;
        if (!sent.sentFirst) {
            ordinaryFrom = from;
        } else if (sent.bytesBefore >= 0 && ordinaryFrom >= sent.bytesBefore && !mixed && model.urgentsSent == 0) {
            // exact only without urgent bytes, which count as bytes sent
            fail(Rule.ORDER, "receives " + name + ", sent with sendFirst after " + sent.bytesBefore
                    + " bytes, behind a message that starts at offset " + ordinaryFrom);
        }
        if (model.overtaken(sent) >= 0) {
            fail(Rule.ORDER, "receives " + name + (sent.sentFirst ? ", sent with sendFirst," : "")
                    + " behind a message that was sent after it");
        }
    }

    private byte[] expected(SentMessage sent, String name, int length) {
        if (sent.relayedLength >= 0) {
            return MessageContent.of(name, sent.relayedLength, client.server.plan.framing());
        }
        if (name.charAt(0) == 'm') {
            int number = Integer.parseInt(name.substring(1));
            return number < client.sentStream.messages().size()
                    ? client.sentStream.content(client.sentStream.messages().get(number)) : new byte[0];
        }
        return MessageContent.of(name, length, client.server.plan.framing());
    }

    private void broadcast(ConnectionModel model, String name, byte[] content) {
        Broadcasts.Broadcast broadcast = client.server.broadcasts.get(name);
        if (broadcast == null
                || !Arrays.equals(content, MessageContent.of(name, broadcast.length(), client.server.plan.framing()))) {
            fail(Rule.BYTES, "receives a broadcast that was not sent: " + InputChecker.shown(content));
        } else if (model.overtakenBroadcast(broadcast.origin(), broadcast.order()) >= 0) {
            fail(Rule.ORDER, "receives " + name + " twice, or behind a message that was sent after it");
        }
    }

    void urgent(int b) {
        if (b < 0) {
            return;
        }
        ConnectionModel model = client.model;
        int number = b - MessageContent.URGENT_MIN;
        if (model == null || number < urgents || number >= model.urgentsSent) {
            fail(Rule.BYTES, "receives the urgent byte " + b + ", which was not sent, or was received before");
        }
        urgents = number + 1;
    }

    /** Returns the number of bytes of an incomplete message. */
    int left() {
        return decoder.left();
    }

    /** Returns the number of messages received. */
    int count() {
        return received;
    }

    /**
     * Checks, after the client has read the end of its input, that it has received every byte that the server's socket had accepted when the
     * connection was cut. What was queued then may be missing.
     */
    void checkSent(ConnectionModel model) {
        long sent = model.socket == null ? 0 : model.socket.bytesOut - model.socket.unsentAtClose;
        if (receivedBytes < sent) {
            fail(Rule.DELIVERY, "reads the end of its input after " + receivedBytes + " of " + sent
                    + " bytes that the socket of its server has accepted");
        }
    }

    /**
     * Checks, after the client has read the end of its input, that every message was received except those that were reported as
     * dropped.
     */
    void checkComplete(ConnectionModel model) {
        if (client.partialBytes > 0) {
            fail(Rule.DELIVERY,
                    "reads the end of its input in the middle of a message, after " + client.partialBytes + " bytes of it");
        }
        if (client.server.plan.pureEcho()) {
            if (echoed != model.echoedBytes) {
                fail(Rule.DELIVERY,
                        "reads the end of its input after " + echoed + " of " + model.echoedBytes + " echoed bytes");
            }
            return;
        }
        int missing = model.emptySent - model.emptyReceived;
        long missingBytes = (long) missing * client.server.plan.framing().framedLength(0);
        SentMessage example = null;
        for (SentMessage sent : model.allSent()) {
            if (!sent.received) {
                missing++;
                missingBytes += sent.framedLength;
                example = sent;
                if (sent.sentFirst) {
                    fail(Rule.DELIVERY,
                            "has not received " + sent.name + ", which was sent with sendFirst and cannot be dropped");
                }
            }
        }
        boolean drops = client.server.plan.overflow() == Overflow.DROP_OLDEST;
        boolean isExact = missing == model.droppedMessages && missingBytes == model.droppedBytes;
        if (!isExact && drops && model.reason != null && !CloseReasonChecker.isOrderly(model.reason)
                && context.isExcused(Excuse.DROPS_UNREPORTED)) {
            return; // after a broken rule or a close, no callback reports earlier drops
        }
        if (missing > 0 && (!drops || missing > model.droppedMessages)) {
            fail(Rule.DELIVERY,
                    "has not received " + missing + " messages, among them " + (example == null ? "an empty one" : example.name)
                            + "; reported as dropped: "
                            + model.droppedMessages);
        } else if (!isExact && !(model.mayHoldUnknownBroadcast && context.isExcused(Excuse.UNSEEN_BROADCAST))) {
            fail(Rule.DELIVERY, "has not received " + missing + " messages with " + missingBytes + " bytes; reported as dropped: "
                    + model.droppedMessages + " with " + model.droppedBytes + " bytes");
        }
    }

    private void fail(Rule rule, String what) {
        context.failures.report(rule, client + " " + what);
    }
}
