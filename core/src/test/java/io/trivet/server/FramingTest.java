package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Compares the messages that framings find with those that were framed. */
final class FramingTest {
    @SuppressWarnings("unused") // used by @FieldSource
    private static final List<ReferenceFraming> FRAMES = ReferenceFraming.ALL_BUT_RAW;

    private static final int INCOMPLETE = -1;

    /** Returns the index behind the next frame, or INCOMPLETE. */
    private static int next(Framing framing, ByteBuffer in, int from, int to, int scanned, Frame frame) {
        frame.begin(from, to, scanned);
        if (to == from) {
            return INCOMPLETE;
        }
        try {
            framing.decoder().decode(in, from, to, frame);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        return frame.isIncomplete() ? INCOMPLETE : frame.end();
    }

    @ParameterizedTest
    @FieldSource("FRAMES")
    void findsTheSameMessagesWhereverTheStreamIsSplit(ReferenceFraming frames) throws Exception {
        Seeded.run(200, random -> {
            List<byte[]> messages = new ArrayList<>();
            for (int i = random.nextInt(5); i >= 0; i--) {
                messages.add(frames.message(random, random.nextInt(70)));
            }
            byte[] stream = frames.framed(messages);
            int begin = random.nextInt(9); // start at any alignment, since whole words are compared
            ByteBuffer in = ByteBuffer.allocate(begin + stream.length).put(begin, stream);
            Frame frame = new Frame();
            List<byte[]> found = new ArrayList<>();
            int from = begin;
            int scanned = 0;
            for (int to = begin; to <= in.capacity();) {
                int next = next(frames.framing(), in, from, to, scanned, frame);
                if (next == INCOMPLETE) {
                    scanned = random.nextBoolean() ? frame.scanned() : 0;
                    to += 1 + random.nextInt(random.nextBoolean() ? 2 : 40);
                } else {
                    byte[] message = new byte[frame.payloadTo() - frame.payloadFrom()];
                    in.get(frame.payloadFrom(), message);
                    found.add(message);
                    from = next;
                    scanned = 0;
                }
                if (to > in.capacity() && from < in.capacity()) {
                    to = in.capacity();
                    if (next(frames.framing(), in, from, to, 0, frame) == INCOMPLETE) {
                        break;
                    }
                }
            }
            assertThat(found).usingElementComparator(java.util.Arrays::compare).containsExactlyElementsOf(messages);
        });
    }

    @Test
    void leftmostDelimiterWinsWhenDelimitersOverlap() {
        assertThat(split(Framing.delimited(Client.bytes("aa")), "aaaxaa")).containsExactly("", "ax");
        assertThat(split(Framing.delimited(Client.bytes("aab")), "aaab")).containsExactly("a");
        assertThat(split(Framing.delimited(Client.bytes("abab")), "aababab")).containsExactly("a");
    }

    @Test
    void lineEndsWithALineFeedAndAtMostOneCarriageReturnBeforeIt() {
        assertThat(split(Framing.lines(), "a\nb\r\n\n\r\n\r\r\nc\rd\n")).containsExactly("a", "b", "", "", "\r", "c\rd");
    }

    @Test
    void lengthPrefixIsUnsignedAndInNetworkByteOrder() {
        ByteBuffer in = ByteBuffer.allocate(300).put(0, (byte) 200);
        Frame frame = new Frame();
        assertThat(next(Framing.lengthPrefixed(1), in, 0, 201, 0, frame)).isEqualTo(201);
        assertThat(frame.payloadTo() - frame.payloadFrom()).isEqualTo(200);

        in.putShort(0, (short) 0xfffe);
        assertThat(next(Framing.lengthPrefixed(2), in, 0, 300, 0, frame)).isEqualTo(INCOMPLETE);
        assertThat(frame.payloadAtLeast()).isEqualTo(0xfffe);

        in.putInt(0, 0xffff_fffe);
        assertThat(next(Framing.lengthPrefixed(4), in, 0, 300, 0, frame)).isEqualTo(INCOMPLETE);
        assertThat(frame.payloadAtLeast()).isEqualTo(0xffff_fffeL);
    }

    @Test
    void rejectsInvalidFramings() {
        assertThatThrownBy(() -> Framing.lines("\r")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Framing.delimited()).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Framing.delimited(new byte[17])).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Framing.lengthPrefixed(3)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void delimiterArrayIsCopied() {
        byte[] delimiter = Client.bytes("|");
        Framing framing = Framing.delimited(delimiter);
        delimiter[0] = ';';
        assertThat(split(framing, "a|b;c|")).containsExactly("a", "b;c");
    }

    private static List<String> split(Framing framing, String stream) {
        byte[] bytes = Client.bytes(stream);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        Frame frame = new Frame();
        List<String> messages = new ArrayList<>();
        for (int from = 0; from < bytes.length;) {
            int next = next(framing, in, from, bytes.length, 0, frame);
            if (next == INCOMPLETE) {
                break;
            }
            messages.add(
                    new String(bytes, frame.payloadFrom(), frame.payloadTo() - frame.payloadFrom(), StandardCharsets.ISO_8859_1));
            from = next;
        }
        return messages;
    }
}
