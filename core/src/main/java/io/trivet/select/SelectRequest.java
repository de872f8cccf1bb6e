package io.trivet.select;

import io.trivet.net.Network;
import io.trivet.net.Socket;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The arguments and the result of one {@link Network#selectOnce} call: entries of a socket and its interests. The call replaces the
 * interests of each entry by those that are ready.
 */
final class SelectRequest {
    private Socket[] sockets;
    private int[] interests;
    private int count;

    SelectRequest(int expectedEntries) {
        sockets = new Socket[expectedEntries];
        interests = new int[expectedEntries];
    }

    void add(Socket socket, int interest) {
        if (count == sockets.length) {
            sockets = Arrays.copyOf(sockets, Math.max(16, count * 2));
            interests = Arrays.copyOf(interests, sockets.length);
        }
        sockets[count] = socket;
        interests[count++] = interest;
    }

    /** Returns the interests of an entry that are ready. Entries are numbered in the order in which they were added. */
    int ready(int entry) {
        return interests[entry];
    }

    Socket socket(int entry) {
        return sockets[entry];
    }

    /** Returns the first entry with a descriptor; -1: none. */
    int entryOf(int descriptor) {
        for (int i = 0; i < count && descriptor >= 0; i++) {
            if (sockets[i].fd() == descriptor) {
                return i;
            }
        }
        return -1;
    }

    /** Returns the first entry whose socket is closed; -1: none. */
    int closedEntry() {
        for (int i = 0; i < count; i++) {
            if (!sockets[i].isOpen()) {
                return i;
            }
        }
        return -1;
    }

    /** Waits until an entry is ready or the timeout has expired. Returns the number of entries that are ready. */
    int await(Network network, long timeoutNanos) throws IOException {
        int ready = network.selectOnce(sockets, interests, count, timeoutNanos);
        if (ready == 0 && timeoutNanos != 0 && Thread.currentThread().isInterrupted()) {
            throw new InterruptedIOException("interrupted while waiting in select");
        }
        return ready;
    }

    /** Converts a timeout to nanoseconds, as {@link Network#selectOnce} expects it: null becomes -1, no limit. */
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
