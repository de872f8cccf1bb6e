package io.trivet.bench;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Publishes numbered messages, as {@code chat-load.c} expects them: {@code m0}, the number in 10 digits, and letters that follow from the number.
 * Core NATS loses what a receiver is too slow for, so only so much is on the way at a time: the receiver confirms every {@link #CONFIRMED_EACH}th
 * message.
 */
final class NumberedMessages {
    static final int CONFIRMED_EACH = 512;
    private static final int WINDOW_MESSAGES = 8 * CONFIRMED_EACH;
    private static final int WINDOW_BYTES = 2 << 20;
    private static final int HEAD = 12;
    private static final int LETTERS = 26;
    private static final int BYTES_MAX = 1 << 16;
    private static final long TIMEOUT_NANOS = 30_000_000_000L;
    private static final byte[][] TEXTS = new byte[LETTERS][BYTES_MAX];

    static {
        for (int k = 0; k < LETTERS; k++) {
            for (int i = 0; i < BYTES_MAX; i++) {
                TEXTS[k][i] = (byte) ('a' + (k + i) % LETTERS);
            }
        }
    }

    /** Passes a message on. Returns false if it must be passed on again later. */
    interface Target {
        boolean publish(byte[] message);
    }

    private long published;
    private volatile long confirmed;
    private volatile @Nullable Thread publisher;

    /** Returns the message of a number. */
    static byte[] message(long number, int bytes) {
        byte[] message = new byte[bytes];
        message[0] = 'm';
        message[1] = '0';
        long left = number;
        for (int i = HEAD - 1; i > 1; i--, left /= 10) {
            message[i] = (byte) ('0' + left % 10);
        }
        System.arraycopy(TEXTS[(int) (number % LETTERS)], 0, message, HEAD, bytes - HEAD);
        return message;
    }

    /** Returns true if these are the bytes of the message of a number. */
    static boolean isMessage(byte[] message, long number) {
        long found = 0;
        for (int i = 2; i < HEAD; i++) {
            found = 10 * found + message[i] - '0';
        }
        return message[0] == 'm' && found == number
                && Arrays.equals(message, HEAD, message.length, TEXTS[(int) (number % LETTERS)], 0, message.length - HEAD);
    }

    /** Any thread: the receiver has received the messages up to this number. */
    void confirm(long number) {
        confirmed = number;
        LockSupport.unpark(publisher);
    }

    void confirm(byte[] digits, int from) {
        confirm(Long.parseLong(new String(digits, from, digits.length - from, StandardCharsets.US_ASCII)));
    }

    /** Publishes for a time as fast as the receiver confirms. Returns how many messages were received per second. */
    double publish(int bytes, double seconds, Target target) {
        publisher = Thread.currentThread();
        long window = Math.min(WINDOW_MESSAGES, WINDOW_BYTES / bytes / CONFIRMED_EACH * CONFIRMED_EACH);
        long first = published;
        long start = System.nanoTime();
        long end = start + (long) (seconds * 1e9);
        while (published % CONFIRMED_EACH != 0 || System.nanoTime() < end) {
            await(published + 1 - window, end);
            byte[] message = message(++published, bytes);
            while (!target.publish(message)) {
                LockSupport.parkNanos(100_000);
            }
        }
        await(published, end);
        return (published - first) * 1e9 / (System.nanoTime() - start);
    }

    private void await(long number, long end) {
        while (confirmed < number) {
            LockSupport.parkNanos(10_000_000);
            if (System.nanoTime() - end > TIMEOUT_NANOS) {
                throw new IllegalStateException("only " + confirmed + " of " + published + " messages were confirmed");
            }
        }
    }
}
