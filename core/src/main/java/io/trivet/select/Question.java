package io.trivet.select;

import io.trivet.net.Network;
import io.trivet.net.Socket;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One question to a network: entries of a socket and what is asked of it; afterwards the interests that are ready. */
final class Question {
    private Socket[] sockets;
    private int[] interests;
    private int count;

    Question(int expected) {
        sockets = new Socket[expected];
        interests = new int[expected];
    }

    void add(Socket socket, int interest) {
        if (count == sockets.length) {
            sockets = Arrays.copyOf(sockets, Math.max(16, count * 2));
            interests = Arrays.copyOf(interests, sockets.length);
        }
        sockets[count] = socket;
        interests[count++] = interest;
    }

    /** What is ready of an entry: those of its interests that hold. */
    int ready(int entry) {
        return interests[entry];
    }

    /** Asks; how many entries are ready. */
    int ask(Network network, long timeoutNanos) throws IOException {
        int ready = network.selectOnce(sockets, interests, count, timeoutNanos);
        if (ready == 0 && timeoutNanos != 0 && Thread.currentThread().isInterrupted()) {
            throw new InterruptedIOException("interrupted while waiting in select");
        }
        return ready;
    }

    /** A timeout in nanoseconds as the seam has it: -1 without limit. */
    static long nanos(@Nullable Duration timeout) {
        if (timeout == null) {
            return -1;
        }
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("the timeout must not be negative: " + timeout);
        }
        try {
            return timeout.toNanos();
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE; // 292 years
        }
    }
}
