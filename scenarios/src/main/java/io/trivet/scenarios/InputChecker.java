package io.trivet.scenarios;

import io.trivet.sim.Fault;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Checks what a server receives against what its client has sent: every message once, complete, in order, and not before it was
 * written.
 */
final class InputChecker {
    private final RunContext context;
    private final ClientFraming framing;

    InputChecker(RunContext context, ServerUnderTest server) {
        this.context = context;
        framing = server.plan.framing();
    }

    /** Checks a framed message. Returns the client's record of that message; null if the message is wrong. */
    SentStream.@Nullable Message message(ConnectionModel model, ByteBuffer message) {
        model.hasReceived = true;
        byte[] bytes = copy(model, message);
        SentStream sentStream = model.client.sentStream;
        if (model.nextMessage >= sentStream.messages().size()) {
            fail(Rule.BYTES, model, "onMessage called for more messages than were sent: " + shown(bytes));
            return null;
        }
        SentStream.Message expected = sentStream.messages().get(model.nextMessage);
        if (expected.request() == null) {
            fail(Rule.BYTES, model,
                    "onMessage called for m" + expected.number() + ", which is oversized or was never completed: "
                            + shown(bytes));
            return null;
        }
        if (model.client.written < expected.to()) {
            fail(Rule.ORDER, model, "onMessage called for m" + expected.number() + " before it was written");
            return null;
        }
        byte[] content = sentStream.content(expected);
        if (!Arrays.equals(bytes, content)) {
            fail(Rule.BYTES, model,
                    "onMessage called with " + shown(bytes) + " instead of m" + expected.number() + ", " + shown(content));
            return null;
        }
        model.nextMessage++;
        model.lastMessageNanos = context.now();
        return expected;
    }

    /** Checks a piece of the stream, with raw framing. Returns its bytes without urgent ones. */
    byte[] piece(ConnectionModel model, ByteBuffer piece) {
        model.hasReceived = true;
        byte[] bytes = copy(model, piece);
        if (!model.client.sentStream.matches(bytes, model.bytesDelivered)) {
            fail(Rule.BYTES, model,
                    "onMessage called with other bytes at offset " + model.bytesDelivered + " than were sent: " + shown(bytes));
        } else if (model.client.written < model.bytesDelivered + bytes.length) {
            fail(Rule.ORDER, model, "onMessage called with bytes that were not written yet");
        }
        model.bytesDelivered += bytes.length;
        model.lastMessageNanos = context.now();
        return bytes;
    }

    /** Checks a part of the frame of the next message. The last part completes the message. */
    void part(ConnectionModel model, ByteBuffer part, boolean last) {
        byte[] bytes = new byte[part.remaining()];
        part.get(part.position(), bytes);
        SentStream sentStream = model.client.sentStream;
        if (model.partsFrom < 0 || !sentStream.matches(bytes, model.partsFrom)) {
            fail(Rule.BYTES, model, "onPart called with other bytes at offset " + model.partsFrom + " than were sent: "
                    + shown(bytes));
            return;
        }
        model.partsFrom += bytes.length;
        if (model.client.written < model.partsFrom) {
            fail(Rule.ORDER, model, "onPart called with bytes that were not written yet");
        }
        int end = sentStream.messages().get(model.nextMessage).to();
        if (last != (model.partsFrom == end)) {
            fail(Rule.BYTES, model, "onPart called " + (last ? "with the last part" : "without a last part") + " at offset "
                    + model.partsFrom + "; the requested bytes end at " + end);
        }
        if (last) {
            model.nextMessage++;
            model.partsFrom = -1;
            model.lastMessageNanos = context.now();
        }
    }

    /** With raw framing: returns the next message that has arrived completely; null if there is none. */
    SentStream.@Nullable Message nextWhole(ConnectionModel model) {
        SentStream sentStream = model.client.sentStream;
        boolean whole = model.nextMessage < sentStream.messages().size()
                && sentStream.messages().get(model.nextMessage).to() <= model.bytesDelivered;
        return whole ? sentStream.messages().get(model.nextMessage++) : null;
    }

    void urgent(ConnectionModel model, byte b) {
        int number = (b & 0xff) - MessageContent.URGENT_MIN;
        if (number < model.urgentsDelivered || number >= model.client.urgentsSent) {
            fail(Rule.BYTES, model, "onUrgent called with " + (b & 0xff) + ", which was not sent, or was delivered before");
        }
        model.urgentsDelivered = number + 1;
    }

    /** Checks that everything the client wrote was delivered before the end of the input. */
    void end(ConnectionModel model) {
        Client client = model.client;
        if (!client.outputEnded()) {
            fail(Rule.ENDS, model, "onEndOfInput called, although the client has not ended its output");
            return;
        }
        // No urgent byte follows the last one, so only an interrupted call can miss it.
        if (model.plan.urgent() && model.urgentsDelivered < client.urgentsSent
                && !(client.isAffectedBy(Fault.INTERRUPTED) && context.isExcused(Excuse.URGENT_INTERRUPTED))) {
            fail(Rule.DELIVERY, model, "onEndOfInput called without onUrgent for the last urgent byte");
        }
        if (framing.isRaw()) {
            if (model.bytesDelivered != client.written) {
                fail(Rule.DELIVERY, model,
                        "onEndOfInput called after " + model.bytesDelivered + " of " + client.written + " bytes");
            }
            return;
        }
        SentStream sentStream = client.sentStream;
        if (model.nextMessage < sentStream.messages().size()) {
            SentStream.Message next = sentStream.messages().get(model.nextMessage);
            boolean whole = next.request() != null && next.to() <= client.written;
            if (whole) {
                fail(Rule.DELIVERY, model, "onEndOfInput called before m" + next.number() + ", which was written completely");
            }
        }
    }

    private byte[] copy(ConnectionModel model, ByteBuffer message) {
        byte[] bytes = new byte[message.remaining()];
        message.get(message.position(), bytes);
        return model.client.urgentsSent > 0 && !framing.isPrefixed() ? withoutUrgent(bytes) : bytes;
    }

    /** Removes urgent bytes. An urgent byte that was followed by another one has become an ordinary byte. */
    private static byte[] withoutUrgent(byte[] bytes) {
        int length = 0;
        byte[] ordinary = new byte[bytes.length];
        for (byte b : bytes) {
            if ((b & 0xff) < MessageContent.URGENT_MIN) {
                ordinary[length++] = b;
            }
        }
        return Arrays.copyOf(ordinary, length);
    }

    private void fail(Rule rule, ConnectionModel model, String what) {
        context.failures.report(rule, model + ": " + what);
    }

    /** Returns the first bytes as text, for a report. */
    static String shown(byte[] bytes) {
        StringBuilder text = new StringBuilder(bytes.length + " bytes \"");
        for (int i = 0; i < bytes.length && i < 40; i++) {
            byte b = bytes[i];
            text.append(b >= ' ' && b < 127 ? String.valueOf((char) b) : String.format("\\x%02x", b));
        }
        return text.append(bytes.length > 40 ? "…\"" : "\"").toString();
    }
}
