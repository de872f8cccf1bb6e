package io.trivet.scenarios;

import io.trivet.server.Overflow;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Holds what a client receives to what the application has given to its connection: whole, once, and in the order of its lane. */
final class OutputJudge {
    private final Scene scene;
    private final Peer peer;
    private final Unframer unframer;
    private int echoed;
    private int urgents;
    private int received;
    /** Behind the last message. */
    private long position;
    /** Where the last message began that was not sent ahead. */
    private long ordinaryFrom = -1;

    OutputJudge(Scene scene, Peer peer) {
        this.scene = scene;
        this.peer = peer;
        unframer = new Unframer(peer.house.plan.frames());
    }

    void received(ByteBuffer bytes) {
        if (scene.planted == Planted.CANARY) {
            wrong(Rule.CANARY, "receives something, with which nothing is wrong: so a failure looks");
        }
        unframer.add(bytes);
        if (peer.house.plan.pureEcho()) {
            echoed(unframer.takeAll());
            return;
        }
        for (byte[] content = unframer.next(); content != null; content = unframer.next()) {
            received++;
            long from = position;
            position += peer.house.plan.frames().framedLength(content.length);
            message(content, from);
        }
    }

    private void echoed(byte[] bytes) {
        if (!peer.said.matches(bytes, echoed)) {
            wrong(Rule.BYTES, "receives other bytes from " + echoed + " on than it said: " + InputJudge.shown(bytes));
        }
        echoed += bytes.length;
    }

    private void message(byte[] content, long from) {
        Ledger ledger = peer.ledger;
        String name = Content.nameOf(content);
        if (ledger != null && content.length == 0) {
            if (++ledger.emptyReceived > ledger.emptySent) {
                wrong(Rule.BYTES, "receives " + ledger.emptyReceived + " empty messages, of " + ledger.emptySent);
            }
            ledger.receivedMessages++;
            ordinaryFrom = from;
            return;
        }
        if (ledger == null || name.isEmpty()) {
            wrong(Rule.BYTES, "receives what nobody sent: " + InputJudge.shown(content));
            return;
        }
        Sent sent = ledger.sent(name);
        if (sent == null && name.charAt(0) == 'b' && ledger.mayHaveBroadcast) {
            ordinaryFrom = from;
            broadcast(ledger, name, content);
            return;
        }
        if (sent == null || !Arrays.equals(content, expected(sent, name, content.length))) {
            wrong(Rule.BYTES, "receives what was not sent: " + InputJudge.shown(content));
            return;
        }
        boolean mixed = peer.urgentsSent > 0; // an urgent byte that has become an ordinary one was sent back, and is left out here
        if (!mixed && peer.house.plan.frames().framedLength(content.length) != sent.framedLength) {
            wrong(Rule.BYTES, "receives " + name + " with " + content.length + " bytes");
        }
        if (sent.received) {
            wrong(Rule.BYTES, "receives " + name + " a second time");
        }
        sent.received = true;
        ledger.receivedMessages++;
        if (!sent.ahead) {
            ordinaryFrom = from;
        } else if (sent.leftBefore >= 0 && ordinaryFrom >= sent.leftBefore && !mixed && ledger.urgentsSent == 0) { // they count as bytes
            wrong(Rule.ORDER, "receives " + name + ", sent ahead when " + sent.leftBefore
                    + " bytes had left, behind a message that begins after " + ordinaryFrom);
        }
        if (ledger.overtaken(sent) >= 0) {
            wrong(Rule.ORDER, "receives " + name + (sent.ahead ? ", sent ahead," : "") + " behind one that was sent after it");
        }
    }

    private byte[] expected(Sent sent, String name, int length) {
        if (sent.relayedLength >= 0) {
            return Content.of(name, sent.relayedLength, peer.house.plan.frames());
        }
        if (name.charAt(0) == 'm') {
            int number = Integer.parseInt(name.substring(1));
            return number < peer.said.messages().size() ? peer.said.content(peer.said.messages().get(number)) : new byte[0];
        }
        return Content.of(name, length, peer.house.plan.frames());
    }

    private void broadcast(Ledger ledger, String name, byte[] content) {
        House.Broadcast broadcast = peer.house.broadcast(name);
        if (broadcast == null || !Arrays.equals(content, Content.of(name, broadcast.length(), peer.house.plan.frames()))) {
            wrong(Rule.BYTES, "receives what was not sent to everybody: " + InputJudge.shown(content));
        } else if (ledger.overtakenBroadcast(broadcast.origin(), broadcast.order()) >= 0) {
            wrong(Rule.ORDER, "receives " + name + " twice, or behind one that was sent after it");
        }
    }

    void urgent(int b) {
        if (b < 0) {
            return;
        }
        Ledger ledger = peer.ledger;
        int number = b - Content.URGENT_MIN;
        if (ledger == null || number < urgents || number >= ledger.urgentsSent) {
            wrong(Rule.BYTES, "receives the urgent byte " + b + ", which was not sent, or received before");
        }
        urgents = number + 1;
    }

    /** Bytes of a message that is not whole. */
    int left() {
        return unframer.left();
    }

    /** How many messages came. */
    int count() {
        return received;
    }

    /** After an orderly end everything must have come, but for what was dropped, and told so. */
    void complete(Ledger ledger) {
        if (peer.bytesCutOff > 0) {
            wrong(Rule.DELIVERY, "reads the end in the middle of a message, after " + peer.bytesCutOff + " bytes of it");
        }
        if (peer.house.plan.pureEcho()) {
            if (echoed != ledger.echoedBytes) {
                wrong(Rule.DELIVERY,
                        "reads the end after " + echoed + " of " + ledger.echoedBytes + " bytes that were sent back");
            }
            return;
        }
        int missing = ledger.emptySent - ledger.emptyReceived;
        long missingBytes = (long) missing * peer.house.plan.frames().framedLength(0);
        Sent example = null;
        for (Sent sent : ledger.allSent()) {
            if (!sent.received) {
                missing++;
                missingBytes += sent.framedLength;
                example = sent;
                if (sent.ahead) {
                    wrong(Rule.DELIVERY, "has not received " + sent.name + ", which was sent ahead, and may not be dropped");
                }
            }
        }
        boolean drops = peer.house.plan.overflow() == Overflow.DROP_OLDEST;
        boolean exact = !ledger.mayHaveBroadcast;
        if (missing > 0 && (!drops || missing > ledger.droppedMessages)) {
            wrong(Rule.DELIVERY,
                    "has not received " + missing + " messages, among them " + (example == null ? "an empty one" : example.name)
                            + "; dropped were "
                            + ledger.droppedMessages);
        } else if (exact && (missing != ledger.droppedMessages || missingBytes != ledger.droppedBytes)) {
            wrong(Rule.DELIVERY, "has not received " + missing + " messages of " + missingBytes + " bytes, and "
                    + ledger.droppedMessages + " of " + ledger.droppedBytes + " bytes were told to be dropped");
        }
    }

    private void wrong(Rule rule, String what) {
        scene.findings.report(rule, peer + " " + what);
    }
}
