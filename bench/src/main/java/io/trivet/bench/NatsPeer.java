package io.trivet.bench;

import io.nats.client.Connection;
import io.nats.client.Dispatcher;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The Java client of NATS alone: one of two processes, of which one publishes and the other one receives, compares and confirms. There are two
 * subjects: one for as many messages as possible, and one for messages at a fixed rate, whose latency is measured.
 */
public final class NatsPeer {
    private static final String FAST = "fast";
    private static final String PACED = "paced";
    private static final String CONFIRMED = "confirmed";
    /** Kind and time, in front of the letters. */
    private static final int PACED_HEAD = 1 + Long.BYTES;
    private static final int LATENCIES_MAX = 1 << 20;
    private static final long TIMEOUT_NANOS = 30_000_000_000L;

    private final Connection nats;
    private final NumberedMessages messages = new NumberedMessages();
    private long received;
    private final long[] latencies = new long[LATENCIES_MAX];
    private volatile int latencyCount;
    private volatile @Nullable String problem;

    private NatsPeer(Connection nats) {
        this.nats = nats;
    }

    /** Arguments: the URL of NATS, and {@code send} or {@code receive}. */
    static void main(String[] args) throws IOException, InterruptedException, TimeoutException {
        Connection nats = Nats.connect(new Options.Builder().server(args[0]).noReconnect().maxMessagesInOutgoingQueue(0).build());
        NatsPeer peer = new NatsPeer(nats);
        Dispatcher dispatcher = nats.createDispatcher();
        if (args[1].equals("send")) {
            dispatcher.subscribe(CONFIRMED, message -> peer.messages.confirm(message.getData(), 0));
        } else {
            dispatcher.subscribe(FAST, message -> peer.receive(message.getData()));
            dispatcher.subscribe(PACED, message -> peer.receivePaced(message.getData()));
        }
        nats.flush(Duration.ZERO);
        Probe.start(peer::answer);
        Thread.currentThread().join();
    }

    private void receive(byte[] message) {
        if (!NumberedMessages.isMessage(message, ++received)) {
            problem = "wrong message instead of number " + received;
        } else if (received % NumberedMessages.CONFIRMED_EACH == 0) {
            nats.publish(CONFIRMED, Long.toString(received).getBytes(StandardCharsets.US_ASCII));
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // only the dispatcher's thread writes
    private void receivePaced(byte[] message) {
        long now = System.nanoTime();
        long sent = 0;
        for (int i = 1; i < PACED_HEAD; i++) {
            sent = sent << 8 | (message[i] & 0xff);
        }
        if (!Arrays.equals(message, PACED_HEAD, message.length, filler(message.length), PACED_HEAD, message.length)) {
            problem = "wrong bytes in a message";
        }
        latencies[latencyCount] = now - sent;
        latencyCount++;
    }

    private static byte[] filler(int bytes) {
        return NumberedMessages.message(0, bytes);
    }

    /** Publishes at a fixed rate. Each message carries the time at which it was published. */
    private long pace(int bytes, double rate, double seconds) {
        long start = System.nanoTime();
        long count = Math.max(1, Math.min(LATENCIES_MAX, (long) (rate * seconds)));
        for (long k = 0; k < count; k++) {
            long due = start + (long) (k * 1e9 / rate);
            for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            byte[] message = filler(bytes);
            long now = System.nanoTime();
            for (int i = PACED_HEAD - 1; i >= 1; i--, now >>= 8) {
                message[i] = (byte) now;
            }
            nats.publish(PACED, message);
        }
        return count;
    }

    /** Waits for a number of messages, and returns the latency of half of them, of 99 % and of the slowest in microseconds. */
    private String latencies(int count) {
        long deadline = System.nanoTime() + TIMEOUT_NANOS;
        while (latencyCount < count && System.nanoTime() < deadline) {
            LockSupport.parkNanos(1_000_000);
        }
        if (latencyCount != count) {
            throw new IllegalStateException(latencyCount + " messages have arrived instead of " + count);
        }
        long[] sorted = Arrays.copyOf(latencies, count);
        Arrays.sort(sorted);
        latencyCount = 0;
        return sorted[count / 2] / 1e3 + " " + sorted[(int) (count * 99L / 100)] / 1e3 + " " + sorted[count - 1] / 1e3;
    }

    /**
     * {@code publish BYTES SECONDS} and {@code pace BYTES RATE SECONDS} publish; {@code latencies COUNT} returns those of the messages at a fixed
     * rate; {@code check} fails if a message was wrong.
     */
    private String answer(String[] words) {
        String wrong = problem;
        if (wrong != null) {
            throw new IllegalStateException(wrong);
        }
        return switch (words[0]) {
            case "publish" ->
                Double.toString(messages.publish(Integer.parseInt(words[1]), Double.parseDouble(words[2]), message -> {
                    nats.publish(FAST, message);
                    return true;
                }));
            case "pace" ->
                Long.toString(pace(Integer.parseInt(words[1]), Double.parseDouble(words[2]), Double.parseDouble(words[3])));
            case "latencies" -> latencies(Integer.parseInt(words[1]));
            case "check" -> "ok";
            default -> throw new IllegalArgumentException(String.join(" ", words));
        };
    }
}
