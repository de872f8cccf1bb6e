package io.trivet.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Test;

/** Text, bytes and numbers of messages. */
final class MessagesTest {
    /** Returns buffers with this content between position and limit: all kinds that a handler, a decoder or a session gets. */
    private static List<ByteBuffer> buffers(byte[] content) {
        List<ByteBuffer> all = new ArrayList<>();
        for (ByteBuffer memory : List.of(ByteBuffer.allocate(content.length + 9),
                ByteBuffer.allocateDirect(content.length + 9))) {
            for (int i = 0; i < memory.capacity(); i++) {
                memory.put(i, (byte) '7');
            }
            memory.put(5, content).position(5).limit(5 + content.length);
            all.add(memory);
            all.add(memory.asReadOnlyBuffer());
            all.add(memory.duplicate().position(3).limit(memory.capacity()).slice().position(2).limit(2 + content.length));
        }
        return all;
    }

    private static List<ByteBuffer> buffers(String ascii) {
        return buffers(ascii.getBytes(US_ASCII));
    }

    @Test
    void textIsUtf8OrOfTheCharset() throws Exception {
        Seeded.run(20, random -> {
            StringBuilder text = new StringBuilder();
            for (int left = random.nextInt(random.nextInt(5) == 0 ? 20_000 : 30); left > 0; left--) {
                text.appendCodePoint(switch (random.nextInt(20)) {
                    case 0 -> 'é';
                    case 1 -> '€';
                    case 2 -> 0x1f600;
                    default -> ' ' + random.nextInt(90);
                });
            }
            String latin = text.toString().replaceAll("[^\\x00-\\xff]", "ü");
            for (ByteBuffer message : buffers(text.toString().getBytes(UTF_8))) {
                int position = message.position();
                int limit = message.limit();
                assertThat(Messages.text(message)).isEqualTo(text.toString());
                assertThat(Messages.bytes(message)).isEqualTo(text.toString().getBytes(UTF_8));
                assertThat(message.position()).isEqualTo(position);
                assertThat(message.limit()).isEqualTo(limit);
            }
            for (ByteBuffer message : buffers(latin.getBytes(ISO_8859_1))) {
                assertThat(Messages.text(message, ISO_8859_1)).isEqualTo(latin);
            }
        });
    }

    @Test
    void malformedTextIsReplaced() {
        for (ByteBuffer message : buffers(new byte[]{'a', (byte) 0xff, 'b', (byte) 0xc3})) {
            assertThat(Messages.text(message)).isEqualTo("a\ufffdb\ufffd");
            assertThat(Messages.text(message, US_ASCII)).isEqualTo("a\ufffdb\ufffd");
        }
    }

    @Test
    void numbersAreThoseOfLongParseLong() throws Exception {
        List<String> edges = List.of("0", "-0", "+0", "007", "-1", "9223372036854775807", "-9223372036854775808", "+42",
                "9223372036854775808", "-9223372036854775809", "92233720368547758070", "99999999999999999999", "", "-", "+",
                "--1",
                "1-", "12x", " 1", "1 ", "1\n", "0x1", "1_0", "/", ":", "000000000000000000000000000000000000000000000000000001");
        for (String text : edges) {
            checkNumber(text);
        }
        Seeded.run(500, random -> {
            checkNumber(Long.toString(random.nextLong() >> random.nextInt(64)));
            checkNumber(randomText(random, "-+0123456789123456789x", 1 + random.nextInt(21)));
        });
    }

    private static String randomText(Random random, String characters, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.append(characters.charAt(random.nextInt(characters.length())));
        }
        return text.toString();
    }

    private static void checkNumber(String text) {
        Long expected;
        try {
            expected = Long.parseLong(text);
        } catch (NumberFormatException e) {
            expected = null;
        }
        for (ByteBuffer message : buffers(text)) {
            if (expected != null) {
                assertThat(Messages.parseLong(message)).as(text).isEqualTo(expected);
                assertThat(Messages.parseLong(message.duplicate().position(0), message.position(), message.limit()))
                        .isEqualTo(expected);
            } else {
                assertThatThrownBy(() -> Messages.parseLong(message)).as(text).isInstanceOf(NumberFormatException.class);
            }
            assertThat(message.remaining()).isEqualTo(text.length());
        }
    }

    @Test
    void failureQuotesWhatIsNoNumber() {
        assertThatThrownBy(() -> Messages.parseLong(UTF_8.encode("12x"))).isInstanceOf(NumberFormatException.class)
                .hasMessage("\"12x\" is not a decimal number");
        assertThatThrownBy(() -> Messages.parseLong(UTF_8.encode(""))).hasMessage("\"\" is not a decimal number");
        assertThatThrownBy(() -> Messages.parseLong(UTF_8.encode("9223372036854775808")))
                .hasMessage("\"9223372036854775808\" is not in the range of a long");
        assertThatThrownBy(() -> Messages.parseLong(UTF_8.encode("1\n\"\\é")))
                .hasMessage("\"1\\x0a\\x22\\x5c\\xc3\\xa9\" is not a decimal number");
        assertThatThrownBy(() -> Messages.parseLong(UTF_8.encode("x".repeat(33))))
                .hasMessage("\"" + "x".repeat(32) + "…\" is not a decimal number");
        assertThatThrownBy(() -> Messages.parseLong(UTF_8.encode("x".repeat(32))))
                .hasMessage("\"" + "x".repeat(32) + "\" is not a decimal number");
    }

    @Test
    void numberOfARangeIsWithinTheLimit() {
        ByteBuffer in = UTF_8.encode("12345").limit(4);
        assertThat(Messages.parseLong(in, 1, 4)).isEqualTo(234);
        assertThatThrownBy(() -> Messages.parseLong(in, 1, 5)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Messages.parseLong(in, -1, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Messages.parseLong(in, 3, 2)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void comparesWithAscii() {
        for (ByteBuffer message : buffers("Quit1[")) {
            assertThat(Messages.equalsAscii(message, "Quit1[")).isTrue();
            assertThat(Messages.equalsAscii(message, "quit1[")).isFalse();
            assertThat(Messages.equalsAscii(message, "Quit1")).isFalse();
            assertThat(Messages.equalsAscii(message, "Quit1[7")).isFalse();
            assertThat(Messages.equalsIgnoreCaseAscii(message, "qUIT1[")).isTrue();
            assertThat(Messages.equalsIgnoreCaseAscii(message, "qUIT1{")).as("[ and { differ like letters").isFalse();
            assertThat(Messages.equalsIgnoreCaseAscii(message, "qUIT1[7")).isFalse();
            assertThat(Messages.equalsIgnoreCaseAscii(message, "qUIT1")).isFalse();
        }
        for (int b = 0; b < 256; b++) {
            for (int c = 0; c < 0x3000; c++) {
                ByteBuffer message = ByteBuffer.wrap(new byte[]{(byte) b});
                String text = Character.toString(c);
                boolean isAscii = b < 128 && c < 128;
                boolean equal = Messages.equalsAscii(message, text);
                boolean equalButForCase = Messages.equalsIgnoreCaseAscii(message, text);
                if (equal != (isAscii && b == c)
                        || equalButForCase != (isAscii && text.equalsIgnoreCase(Character.toString(b)))) {
                    throw new AssertionError(b + " and " + c);
                }
            }
        }
    }

    // ---- what it costs

    private static long allocatedByEach(ToLongFunction<ByteBuffer> call, ByteBuffer message) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int calls = 10_000;
        long sum = 0;
        long allocated = 0;
        for (int round = 0; round < 3; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < calls; i++) {
                sum += call.applyAsLong(message);
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - before;
        }
        assertThat(sum).isNotZero();
        return allocated / calls;
    }

    @Test
    void onlyTheResultIsAllocated() {
        for (ByteBuffer message : buffers("1".repeat(17))) {
            // A String takes 24 bytes, its array 16 and the content, both rounded up to 8: 64 in all.
            assertThat(allocatedByEach(m -> Messages.text(m).length(), message)).isLessThanOrEqualTo(64);
            assertThat(allocatedByEach(m -> Messages.text(m, ISO_8859_1).length(), message)).isLessThanOrEqualTo(64);
            assertThat(allocatedByEach(m -> Messages.bytes(m).length, message)).isLessThanOrEqualTo(40);
            assertThat(allocatedByEach(Messages::parseLong, message)).isZero();
            assertThat(allocatedByEach(m -> Messages.equalsAscii(m, "11111111111111111") ? 1 : 0, message)).isZero();
            assertThat(allocatedByEach(m -> Messages.equalsIgnoreCaseAscii(m, "11111111111111111") ? 1 : 0, message)).isZero();
        }
        for (ByteBuffer message : buffers("1".repeat(8192))) {
            assertThat(allocatedByEach(m -> Messages.text(m).length(), message)).isLessThanOrEqualTo(8192 + 48);
        }
    }

    @Test
    void threadsDoNotMixTheirTexts() throws Exception {
        int threads = 40; // more than there are arrays
        CountDownLatch ended = new CountDownLatch(threads);
        AtomicReference<String> wrong = new AtomicReference<>();
        for (int i = 0; i < threads; i++) {
            String text = Integer.toString(i).repeat(i + 1);
            ByteBuffer message = ByteBuffer.allocateDirect(text.length()).put(text.getBytes(US_ASCII)).flip();
            Thread.Builder kind = i % 2 == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
            kind.start(() -> {
                for (int round = 0; round < 3_000; round++) {
                    String read = Messages.text(message);
                    if (!read.equals(text)) {
                        wrong.set(text + " was read as " + read);
                    }
                }
                ended.countDown();
            });
        }
        ended.await();
        assertThat(wrong.get()).isNull();
    }
}
