package io.trivet.scenarios;

import io.trivet.sim.Fault;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Holds what a server is told to what its clients have said: every message once, whole, in order, and not before it was written. */
final class InputJudge {
    private final Scene scene;
    private final Frames frames;

    InputJudge(Scene scene, House house) {
        this.scene = scene;
        frames = house.plan.frames();
    }

    /** A message in its frame: which of the client's it is; null: a wrong one. */
    Said.@Nullable Message message(Ledger ledger, ByteBuffer message) {
        ledger.hasSpoken = true;
        byte[] bytes = copy(ledger, message);
        Said said = ledger.peer.said;
        if (ledger.nextMessage >= said.messages().size()) {
            wrong(Rule.BYTES, ledger, "is told more messages than were said: " + shown(bytes));
            return null;
        }
        Said.Message expected = said.messages().get(ledger.nextMessage);
        if (expected.ask() == null) {
            wrong(Rule.BYTES, ledger,
                    "is told m" + expected.number() + ", which is too long or was never ended: " + shown(bytes));
            return null;
        }
        if (ledger.peer.written < expected.to()) {
            wrong(Rule.ORDER, ledger, "is told m" + expected.number() + " before it was written");
            return null;
        }
        byte[] content = said.content(expected);
        if (!java.util.Arrays.equals(bytes, content)) {
            wrong(Rule.BYTES, ledger, "is told " + shown(bytes) + " instead of m" + expected.number() + ", " + shown(content));
            return null;
        }
        ledger.nextMessage++;
        ledger.lastMessageNanos = scene.now();
        return expected;
    }

    /** A piece of the stream, with raw framing; its bytes without urgent ones. */
    byte[] piece(Ledger ledger, ByteBuffer piece) {
        ledger.hasSpoken = true;
        byte[] bytes = copy(ledger, piece);
        if (!ledger.peer.said.matches(bytes, ledger.bytesGiven)) {
            wrong(Rule.BYTES, ledger, "is told other bytes from " + ledger.bytesGiven + " on than were said: " + shown(bytes));
        } else if (ledger.peer.written < ledger.bytesGiven + bytes.length) {
            wrong(Rule.ORDER, ledger, "is told bytes before they were written");
        }
        ledger.bytesGiven += bytes.length;
        ledger.lastMessageNanos = scene.now();
        return bytes;
    }

    /** With raw framing: the next message that has come whole by now; null: none. */
    Said.@Nullable Message nextWhole(Ledger ledger) {
        Said said = ledger.peer.said;
        boolean whole = ledger.nextMessage < said.messages().size()
                && said.messages().get(ledger.nextMessage).to() <= ledger.bytesGiven;
        return whole ? said.messages().get(ledger.nextMessage++) : null;
    }

    void urgent(Ledger ledger, byte b) {
        int number = (b & 0xff) - Content.URGENT_MIN;
        if (number < ledger.urgentsTold || number >= ledger.peer.urgentsSent) {
            wrong(Rule.BYTES, ledger, "is told the urgent byte " + (b & 0xff) + ", which was not sent, or told before");
        }
        ledger.urgentsTold = number + 1;
    }

    /** The end of the input: all that was written must have been told by now. */
    void end(Ledger ledger) {
        Peer peer = ledger.peer;
        if (!peer.outputEnded()) {
            wrong(Rule.ENDS, ledger, "is told the end of an input that goes on");
            return;
        }
        // The last urgent byte is overtaken by no other; only an interrupted call can miss it.
        if (ledger.plan.urgent() && ledger.urgentsTold < peer.urgentsSent && !peer.isStruckBy(Fault.INTERRUPTED)) {
            wrong(Rule.DELIVERY, ledger, "is told the end, and was not told the last urgent byte before it");
        }
        if (frames.isRaw()) {
            if (ledger.bytesGiven != peer.written) {
                wrong(Rule.DELIVERY, ledger, "is told the end after " + ledger.bytesGiven + " of " + peer.written + " bytes");
            }
            return;
        }
        Said said = peer.said;
        if (ledger.nextMessage < said.messages().size()) {
            Said.Message next = said.messages().get(ledger.nextMessage);
            boolean whole = next.ask() != null && next.to() <= peer.written;
            if (whole) {
                wrong(Rule.DELIVERY, ledger, "is told the end before m" + next.number() + ", which was written whole");
            }
        }
    }

    private byte[] copy(Ledger ledger, ByteBuffer message) {
        byte[] bytes = new byte[message.remaining()];
        message.get(message.position(), bytes);
        return ledger.peer.urgentsSent > 0 && !frames.isPrefixed() ? withoutUrgent(bytes) : bytes;
    }

    /** An urgent byte that the next one overtook is among the others. */
    private static byte[] withoutUrgent(byte[] bytes) {
        int length = 0;
        byte[] ordinary = new byte[bytes.length];
        for (byte b : bytes) {
            if ((b & 0xff) < Content.URGENT_MIN) {
                ordinary[length++] = b;
            }
        }
        return java.util.Arrays.copyOf(ordinary, length);
    }

    private void wrong(Rule rule, Ledger ledger, String what) {
        scene.findings.report(rule, ledger + " " + what);
    }

    /** The beginning of some bytes, for a reader. */
    static String shown(byte[] bytes) {
        StringBuilder text = new StringBuilder(bytes.length + " bytes \"");
        for (int i = 0; i < bytes.length && i < 40; i++) {
            byte b = bytes[i];
            text.append(b >= ' ' && b < 127 ? String.valueOf((char) b) : String.format("\\x%02x", b));
        }
        return text.append(bytes.length > 40 ? "…\"" : "\"").toString();
    }
}
