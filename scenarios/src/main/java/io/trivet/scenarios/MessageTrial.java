package io.trivet.scenarios;

import io.trivet.server.Messages;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Messages} makes of a message, in memory of any kind: its text, its bytes, the number that it is, and whether it equals
 * some characters. Position, limit and content stay as they were.
 */
final class MessageTrial implements Trial {
    private static final BigInteger LEAST = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MOST = BigInteger.valueOf(Long.MAX_VALUE);
    private static final int MESSAGES = 40;
    private static final int QUOTED_BYTES_MAX = 32;

    @Override
    public void run(TrialRun run) throws IOException {
        for (int i = 0; i < MESSAGES && !run.hasFailed(); i++) {
            byte[] content = run.random.chance(50) ? number(run) : text(run);
            ByteBuffer message = buffer(run, content);
            int position = message.position();
            int limit = message.limit();
            check(run, message, content);
            run.same(Rule.BYTES, "the position of a message that was read", message.position(), position);
            run.same(Rule.BYTES, "the limit of a message that was read", message.limit(), limit);
        }
    }

    // ---- messages

    /** A decimal number, often one at the end of the range, or almost a number. */
    private static byte[] number(TrialRun run) {
        SeededRandom random = run.random;
        BigInteger number = random.pick(LEAST, MOST, BigInteger.ZERO, BigInteger.valueOf(random.logUniform(1, Long.MAX_VALUE)),
                LEAST.divide(BigInteger.TEN), MOST.multiply(BigInteger.TEN));
        String text = number.add(BigInteger.valueOf(random.between(-2, 2))).toString();
        text = random.chance(15) ? "+" + text : random.chance(10) ? "-" + text : text;
        text = random.chance(20) ? text.replaceFirst("([-+]?)", "$1" + "0".repeat(random.between(1, 25))) : text;
        byte[] content = MessageContent.ascii(text);
        if (random.chance(20)) {
            content[random.below(content.length)] = (byte) random.number('/', ':', ' ', '-', '+', '"', '\\', 0, 0x7f, 0xb3, '9');
        }
        return random.chance(5) ? MessageContent.ascii(random.pick("", "-", "+")) : content;
    }

    private static byte[] text(TrialRun run) {
        SeededRandom random = run.random;
        byte[] content = new byte[(int) random.logUniform(0, random.chance(5) ? 10_000 : 60)];
        if (random.chance(3)) {
            content = new byte[random.between(8_190, 8_194)];
        }
        boolean ascii = random.chance(60);
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) (ascii ? random.number('@', 'A', 'Z', '[', '`', 'a', 'z', '{', random.below(128))
                    : random.below(256));
        }
        return content;
    }

    /** Returns the message with other bytes around it. */
    private static ByteBuffer buffer(TrialRun run, byte[] content) {
        SeededRandom random = run.random;
        int before = random.number(0, 1, 7);
        int behind = random.number(0, 1, 7);
        int offset = random.number(0, 3);
        int capacity = offset + before + content.length + behind;
        ByteBuffer memory = random.chance(50) ? ByteBuffer.allocateDirect(capacity) : ByteBuffer.allocate(capacity);
        for (int i = 0; i < capacity; i++) {
            memory.put(i, (byte) '5');
        }
        memory.put(offset + before, content);
        ByteBuffer slice = memory.slice(offset, capacity - offset);
        slice.position(before).limit(before + content.length);
        return random.chance(50) ? slice.asReadOnlyBuffer() : slice;
    }

    // ---- the checks

    private static void check(TrialRun run, ByteBuffer message, byte[] content) {
        Charset charset = run.random.pick(StandardCharsets.ISO_8859_1, StandardCharsets.UTF_16BE, StandardCharsets.US_ASCII);
        run.same(Rule.BYTES, "the text of a message", Messages.text(message), new String(content, StandardCharsets.UTF_8));
        run.same(Rule.BYTES, "the text of a message", Messages.text(message, charset), new String(content, charset));
        run.expect(Rule.BYTES, Arrays.equals(Messages.bytes(message), content), "the bytes of a message are others");
        checkNumber(run, message, content);
        checkEqual(run, message, new String(content, StandardCharsets.ISO_8859_1));
        ByteBuffer again = message.duplicate();
        for (byte each : content) {
            run.expect(Rule.BYTES, again.get() == each, "a message was changed");
        }
    }

    /** Returns the number that a message is; null if it is none. */
    private static @Nullable BigInteger numberOf(byte[] content) {
        String text = new String(content, StandardCharsets.ISO_8859_1);
        boolean isNumber = text.matches("[-+]?[0-9]+");
        BigInteger number = isNumber ? new BigInteger(text.startsWith("+") ? text.substring(1) : text) : null;
        return number != null && number.compareTo(LEAST) >= 0 && number.compareTo(MOST) <= 0 ? number : null;
    }

    private static void checkNumber(TrialRun run, ByteBuffer message, byte[] content) {
        BigInteger right = numberOf(content);
        String shown = new String(content, StandardCharsets.ISO_8859_1);
        try {
            long number = run.random.chance(50) ? Messages.parseLong(message)
                    : Messages.parseLong(message, message.position(), message.limit());
            run.expect(Rule.BYTES, right != null && right.equals(BigInteger.valueOf(number)), shown + " is read as " + number);
        } catch (NumberFormatException e) {
            run.expect(Rule.BYTES, right == null, "a number is refused: " + e.getMessage());
            String text = String.valueOf(e.getMessage());
            run.expect(Rule.BYTES, text.startsWith(quoted(content)), "a message that is no number is quoted as " + text);
        }
    }

    /** Quotes the beginning, in which everything is escaped that is not printable. */
    private static String quoted(byte[] content) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < Math.min(content.length, QUOTED_BYTES_MAX); i++) {
            int each = content[i] & 0xff;
            boolean isPlain = each >= 0x20 && each < 0x7f && each != '"' && each != '\\';
            quoted.append(isPlain ? String.valueOf((char) each) : "\\x" + Integer.toHexString(0x100 | each).substring(1));
        }
        return quoted.append(content.length > QUOTED_BYTES_MAX ? "…\" is not" : "\" is not").toString();
    }

    private static void checkEqual(TrialRun run, ByteBuffer message, String text) {
        char[] chars = text.toCharArray();
        boolean changed = chars.length > 0 && run.random.chance(60);
        if (changed) {
            int at = run.random.below(chars.length);
            chars[at] ^= (char) run.random.number(0x20, 0x20, 1, 0x100);
        }
        String other = run.random.chance(10) ? text + "a" : run.random.chance(10) ? text.substring(0, text.length() / 2)
                : new String(chars);
        boolean equal = isAscii(text) && text.equals(other);
        run.same(Rule.BYTES, "a message equals the characters " + other, Messages.equalsAscii(message, other), equal);
        boolean equalIgnoringCase = isAscii(text) && lower(text).equals(lower(other));
        run.same(Rule.BYTES, "a message equals the characters " + other + ", case ignored",
                Messages.equalsIgnoreCaseAscii(message, other), equalIgnoringCase);
    }

    private static boolean isAscii(String text) {
        return text.chars().allMatch(each -> each < 0x80);
    }

    private static String lower(String text) {
        StringBuilder lower = new StringBuilder();
        text.chars().forEach(each -> lower.append((char) (each >= 'A' && each <= 'Z' ? each + 0x20 : each)));
        return lower.toString();
    }
}
