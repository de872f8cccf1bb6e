package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Tests a framing without a server: passes bytes to its decoder as they would arrive, and returns the messages that a handler would
 * receive. It uses the server's code for all rules, such as {@link Limits#messageBytesMax} and {@link Frame#searchFrom}. As in a
 * server, the bytes are at changing indices, between bytes that the decoder must not read.
 *
 * {@snippet :
 * FramingTester tester = FramingTester.of(Framing.of(netstrings));
 * assertThat(tester.decodeCutAnywhere("5:hello,0:,".getBytes(UTF_8)).texts()).containsExactly("hello", "");
 * assertThatThrownBy(() -> tester.decodeCutAnywhere("5:hello!".getBytes(UTF_8)))
 *         .hasMessage("a netstring must end with a comma");
 * }
 *
 * <p>Each call stands for a new connection, with a decoder of its own if the framing has one per connection. There is no handler,
 * so nothing upgrades the connection or requests parts. The input does not end: {@link Decoded#remainder} contains the bytes to
 * which a server would apply {@link Framing#withRemainder} at the end of input.
 *
 * <p>Immutable. Any thread, as far as the decoder permits.
 */
public final class FramingTester {
    /** The numbers of bytes before those that a decoder may read, for consecutive pieces. */
    private static final int[] MARGINS = {5, 0, 12};
    /** The number of bytes after them. */
    private static final int MARGIN_AFTER = 9;
    private static final int SHOWN_CHARACTERS_MAX = 200;

    private final Profile profile;

    private FramingTester(Framing framing, Limits limits) {
        profile = new Profile(framing, limits, Overflow.PAUSE_READING, false);
    }

    /**
     * Returns a tester with the default limits.
     *
     * @param framing the framing
     * @return the tester
     */
    public static FramingTester of(Framing framing) {
        return new FramingTester(Objects.requireNonNull(framing, "framing"), Limits.defaults());
    }

    /**
     * Returns a copy with other limits.
     *
     * @param limits the limits; only {@link Limits#messageBytesMax} has an effect
     * @return the copy
     */
    public FramingTester withLimits(Limits limits) {
        return new FramingTester(profile.framing(), limits);
    }

    /**
     * Decodes bytes that arrive in pieces.
     *
     * @param stream all bytes
     * @param cuts the indices at which the pieces after the first one begin, in ascending order. Without a cut, all bytes arrive at
     *     once
     * @return the messages, and what is left
     * @throws Failure a server would end the connection
     * @throws IllegalArgumentException the cuts are not in order, or not from 0 to the number of bytes
     */
    public Decoded decode(byte[] stream, int... cuts) throws Failure {
        return run(stream, cuts).orThrow();
    }

    /**
     * Decodes bytes that arrive one at a time.
     *
     * @param stream all bytes
     * @return the messages, and what is left
     * @throws Failure a server would end the connection
     */
    public Decoded decodeByteByByte(byte[] stream) throws Failure {
        return run(stream, everyIndex(stream)).orThrow();
    }

    /**
     * Decodes bytes that arrive at once, then in two pieces, cut at each index in turn, and then one at a time. The result must be the
     * same each time: how the network cuts a stream must not matter. The time it takes grows with the square of the number of bytes.
     *
     * @param stream all bytes
     * @return the messages, and what is left
     * @throws Failure a server would end the connection, wherever the bytes are cut. This is the failure when they arrive at once
     * @throws AssertionError the messages, the remainder or the reason of the failure depend on where the bytes are cut. This is
     *     always so for raw framing, and for others that deliver bytes as they arrive
     */
    public Decoded decodeCutAnywhere(byte[] stream) throws Failure {
        Outcome atOnce = run(stream);
        for (int cut = 1; cut < stream.length; cut++) {
            check(run(stream, cut), "cut after " + cut + " of " + stream.length + " bytes", atOnce);
        }
        check(run(stream, everyIndex(stream)), "one byte at a time", atOnce);
        return atOnce.orThrow();
    }

    private static int[] everyIndex(byte[] stream) {
        return IntStream.range(0, stream.length).toArray();
    }

    private static void check(Outcome outcome, String arrival, Outcome atOnce) {
        if (!outcome.equals(atOnce)) {
            throw new AssertionError(
                    "the result depends on how the bytes arrive; at once: " + atOnce + "; " + arrival + ": " + outcome,
                    outcome.failure != null ? outcome.failure : atOnce.failure);
        }
    }

    private Outcome run(byte[] stream, int... cuts) {
        Outcome outcome = new Outcome();
        FrameDecoder decoder = profile.framing().decoder();
        int from = 0;
        int to = 0;
        int scanned = 0;
        for (int piece = 0; piece <= cuts.length && outcome.failure == null; piece++) {
            int end = piece < cuts.length ? cuts[piece] : stream.length;
            if (end < to || end > stream.length) {
                throw new IllegalArgumentException("the cuts " + Arrays.toString(cuts) + " are not in order, or not within "
                        + stream.length + " bytes");
            }
            if (end > to) { // a receive has at least one byte
                to = end;
                FrameFinder frame = new FrameFinder();
                frame.use(profile, decoder);
                frame.begin(scanned);
                from += decodeHeld(frame, Arrays.copyOfRange(stream, from, to), MARGINS[piece % MARGINS.length], outcome);
                scanned = frame.scanned();
            }
        }
        outcome.remainder = ByteBuffer.wrap(Arrays.copyOfRange(stream, from, stream.length)).asReadOnlyBuffer();
        return outcome;
    }

    /**
     * Adds the messages in the bytes that have arrived since the last message.
     *
     * @param margin the number of bytes to put before them
     * @return the number of bytes that were decoded
     */
    private int decodeHeld(FrameFinder frame, byte[] held, int margin, Outcome outcome) {
        ByteBuffer memory = ByteBuffer.allocate(margin + held.length + MARGIN_AFTER);
        for (int i = 0; i < memory.capacity(); i++) {
            memory.put(i, (byte) (31 * (margin + i)));
        }
        memory.put(margin, held);
        ByteBuffer view = memory.asReadOnlyBuffer();
        int from = margin;
        int to = margin + held.length;
        boolean isWhole = true;
        while (from < to && isWhole) {
            try {
                isWhole = frame.find(memory, view, from, to);
            } catch (Exception e) {
                outcome.fail(CloseReason.PROTOCOL_ERROR, CloseRequests.protocolFailure(e));
                break;
            }
            if (isWhole) {
                if (!frame.isSkipped()) {
                    outcome.messages
                            .add(ByteBuffer.wrap(Arrays.copyOfRange(memory.array(), frame.payloadFrom(), frame.payloadTo()))
                                    .asReadOnlyBuffer());
                }
                from = frame.end();
            } else if (frame.isTooLong()) {
                outcome.fail(CloseReason.MESSAGE_TOO_LONG, CloseRequests.tooLong(frame.messageBytes(), frame.isIncomplete(),
                        profile.limits().messageBytesMax()));
            }
        }
        return from - margin;
    }

    /**
     * The messages in a stream of bytes, and what is left of it.
     *
     * @param messages the payloads, in order; read-only
     * @param remainder the bytes after the last frame, an unfinished message; read-only
     */
    public record Decoded(List<ByteBuffer> messages, ByteBuffer remainder) {
        /**
         * Returns the messages as text in UTF-8.
         *
         * @return the texts, in order
         */
        public List<String> texts() {
            return messages.stream().map(Messages::text).toList();
        }
    }

    /** What {@link Connection#failure} returns if a server has ended the connection, with the same message and cause. */
    public static final class Failure extends ProtocolException {
        private static final long serialVersionUID = 1;

        private final CloseReason reason;
        private final transient List<ByteBuffer> messages;

        Failure(CloseReason reason, ProtocolException failure, List<ByteBuffer> messages) {
            super(failure.getMessage());
            initCause(failure.getCause());
            this.reason = reason;
            this.messages = messages;
        }

        /**
         * Returns the reason that a server would pass to {@code onClose}.
         *
         * @return {@link CloseReason#PROTOCOL_ERROR} or {@link CloseReason#MESSAGE_TOO_LONG}
         */
        public CloseReason reason() {
            return reason;
        }

        /**
         * Returns the messages before the failure, which a handler would have received.
         *
         * @return the payloads, in order; read-only
         */
        public List<ByteBuffer> messages() {
            return messages;
        }
    }

    /** A result, or a failure. Equal if a handler would see the same: the text of a failure may depend on what has arrived. */
    private static final class Outcome {
        final List<ByteBuffer> messages = new ArrayList<>();
        ByteBuffer remainder = ByteBuffer.allocate(0);
        @Nullable Failure failure;

        void fail(CloseReason reason, ProtocolException cause) {
            failure = new Failure(reason, cause, List.copyOf(messages));
        }

        Decoded orThrow() throws Failure {
            if (failure != null) {
                throw failure;
            }
            return new Decoded(List.copyOf(messages), remainder);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Outcome that && messages.equals(that.messages)
                    && (failure == null ? that.failure == null && remainder.equals(that.remainder)
                            : that.failure != null && failure.reason == that.failure.reason);
        }

        @Override
        public int hashCode() {
            return messages.hashCode();
        }

        @Override
        public String toString() {
            String text = messages.stream().map(Messages::text).toList().toString();
            String shown = text.length() > SHOWN_CHARACTERS_MAX ? text.substring(0, SHOWN_CHARACTERS_MAX) + "…" : text;
            return "messages " + shown + (failure == null ? " and " + remainder.remaining() + " bytes"
                    : ", then " + failure.reason + ": " + failure.getMessage());
        }
    }
}
