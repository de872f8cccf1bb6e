package io.trivet.server;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Defines where a message ends in the stream of bytes. It works both ways: a handler gets the content of a frame, and {@code
 * send} puts the frame around its argument. Immutable: {@code with…} returns a changed copy. Any thread.
 *
 * <p>Four framings are built in. Others are written as a {@link FrameDecoder} and, if frames are wanted around outgoing messages,
 * a {@link FrameEncoder}.
 */
public final class Framing {
    private static final FrameDecoder ALL = (in, from, to, frame) -> frame.message(from, to, to);
    private static final Framing RAW = builtIn("raw", ALL, null, true);
    private static final Framing LINES = lines(new byte[]{'\n'});
    private static final Framing CRLF_LINES = lines(new byte[]{'\r', '\n'});

    private final String name;
    /** The decoder of all connections; null if each has its own. */
    private final @Nullable FrameDecoder shared;
    private final @Nullable Supplier<? extends FrameDecoder> decoders;
    private final FrameWriter writer;
    private final Remainder remainder;
    private final boolean raw;
    private final boolean builtIn;

    private Framing(String name, @Nullable FrameDecoder shared, @Nullable Supplier<? extends FrameDecoder> decoders,
            FrameWriter writer, Remainder remainder, boolean raw, boolean builtIn) {
        this.name = name;
        this.shared = shared;
        this.decoders = decoders;
        this.writer = writer;
        this.remainder = remainder;
        this.raw = raw;
        this.builtIn = builtIn;
    }

    private static Framing builtIn(String name, FrameDecoder decoder, @Nullable FrameEncoder encoder, boolean raw) {
        return new Framing(name, decoder, null, new FrameWriter(encoder), Remainder.DROP, raw, true);
    }

    private static Framing lines(byte[] end) {
        return builtIn("lines", new DelimiterDecoder(new byte[]{'\n'}, true), new Tail(end), false);
    }

    /**
     * Returns the framing without frames. Every piece that arrives is a message, however the network has cut it; a piece above
     * {@link Limits#messageBytesMax} is cut again.
     *
     * @return the framing
     */
    public static Framing raw() {
        return RAW;
    }

    /**
     * Returns the framing of lines. A line feed ends a message; a carriage return before it is part of the line end. {@code send}
     * ends a line with a line feed.
     *
     * @return the framing
     */
    public static Framing lines() {
        return LINES;
    }

    /**
     * Returns the framing of lines, with the given end of outgoing lines. Incoming lines may have either end.
     *
     * @param end {@code "\n"} or {@code "\r\n"}
     * @return the framing
     * @throws IllegalArgumentException the end is neither {@code "\n"} nor {@code "\r\n"}
     */
    public static Framing lines(String end) {
        return switch (end) {
            case "\n" -> LINES;
            case "\r\n" -> CRLF_LINES;
            default -> throw new IllegalArgumentException("a line ends in \\n or \\r\\n");
        };
    }

    /**
     * Returns the framing of messages that end with a sequence of bytes. A message must not contain that sequence; {@code send}
     * does not check this.
     *
     * @param delimiter the sequence, 1 to 16 bytes
     * @return the framing
     * @throws IllegalArgumentException the delimiter is empty, or longer than 16 bytes
     */
    public static Framing delimited(byte... delimiter) {
        if (delimiter.length < 1 || delimiter.length > 16) {
            throw new IllegalArgumentException("a delimiter has 1 to 16 bytes, not " + delimiter.length);
        }
        byte[] own = delimiter.clone();
        return builtIn("delimited", new DelimiterDecoder(own, false), new Tail(own), false);
    }

    /**
     * Returns the framing of messages that follow their length, an unsigned number in network byte order that does not count
     * itself.
     *
     * @param bytes the size of the length: 1, 2 or 4
     * @return the framing
     * @throws IllegalArgumentException the size is not 1, 2 or 4
     */
    public static Framing lengthPrefixed(int bytes) {
        if (bytes != 1 && bytes != 2 && bytes != 4) {
            throw new IllegalArgumentException("a length has 1, 2 or 4 bytes, not " + bytes);
        }
        LengthPrefix prefix = new LengthPrefix(bytes);
        return builtIn("length-prefixed, " + bytes + (bytes == 1 ? " byte" : " bytes"), prefix, prefix, false);
    }

    /**
     * Returns a framing with a decoder that has no state. Messages are sent as they are, unless an {@linkplain #withEncoder
     * encoder} is added.
     *
     * @param decoder finds the messages; shared by all connections, and called by several threads
     * @return the framing
     */
    public static Framing of(FrameDecoder decoder) {
        return new Framing("custom", Objects.requireNonNull(decoder, "decoder"), null, new FrameWriter(null), Remainder.DROP,
                false,
                false);
    }

    /**
     * Returns a framing with a decoder per connection, which may have state. Messages are sent as they are, unless an {@linkplain
     * #withEncoder encoder} is added.
     *
     * @param decoders creates the decoder of each connection, before {@code onOpen}. If it throws or returns null, only that
     *     connection is closed, with {@link io.trivet.observe.CloseReason#HANDLER_FAILED}, and the cause is logged
     * @return the framing
     */
    public static Framing perConnection(Supplier<? extends FrameDecoder> decoders) {
        return new Framing("custom", null, Objects.requireNonNull(decoders, "decoders"), new FrameWriter(null), Remainder.DROP,
                false, false);
    }

    /**
     * Returns a copy that sends messages in the frames of an encoder.
     *
     * @param encoder writes the frames
     * @return the copy
     */
    public Framing withEncoder(FrameEncoder encoder) {
        return new Framing(name, shared, decoders, new FrameWriter(Objects.requireNonNull(encoder, "encoder")), remainder, raw,
                builtIn);
    }

    /**
     * Returns a copy that sets what happens with an unfinished message when the peer ends its output. A connection that is reset
     * delivers no remainder.
     *
     * @param remainder the policy; the default is {@link Remainder#DROP}
     * @return the copy
     */
    public Framing withRemainder(Remainder remainder) {
        return new Framing(name, shared, decoders, writer, Objects.requireNonNull(remainder, "remainder"), raw, builtIn);
    }

    /** Returns true if all connections share one decoder. */
    boolean isShared() {
        return shared != null;
    }

    /** Returns the decoder of a new connection. */
    FrameDecoder decoder() {
        return shared != null ? shared
                : Objects.requireNonNull(Objects.requireNonNull(decoders).get(), "the supplier of decoders returned null");
    }

    /** Returns the writer of outgoing frames. */
    FrameWriter writer() {
        return writer;
    }

    Remainder remainder() {
        return remainder;
    }

    /** Returns true if messages have no end of their own. */
    boolean isRaw() {
        return raw;
    }

    /** Returns true if the decoder can be trusted with the received memory: it reads by absolute index, and changes nothing. */
    boolean isBuiltIn() {
        return builtIn;
    }

    @Override
    public String toString() {
        return name;
    }

    /** Ends each message with the same bytes. */
    private static final class Tail implements FrameEncoder {
        private final byte[] tail;

        Tail(byte[] tail) {
            this.tail = tail;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Tail that && Arrays.equals(tail, that.tail);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(tail);
        }

        @Override
        public byte[] tail() {
            return tail;
        }

        @Override
        public int headLength(int messageBytes) {
            return 0;
        }

        @Override
        public void putHead(ByteBuffer out, int messageBytes) {}

        @Override
        public long messageBytesMax() {
            return Integer.MAX_VALUE - 16;
        }
    }
}
