package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The table of a process: the lowest free number first, up to its limit. 0, 1 and 2 are taken, as usual. */
final class DescriptorTable {
    /** As on a machine that nobody has configured. */
    static final int LIMIT = 1 << 20;

    private static final int FIRST = 3;

    private @Nullable OpenFile[] files = new @Nullable OpenFile[32];
    private int lowestFree = FIRST;
    private int open;
    private int limit = LIMIT;

    void limit(int most) {
        limit = most;
    }

    int limit() {
        return limit;
    }

    int open() {
        return open;
    }

    /** Whether a number is free below the limit. */
    boolean hasRoom() {
        return lowestFree < limit;
    }

    /** Gives a file the lowest free number. */
    int add(OpenFile file, String call, @Nullable Object subject) throws NetworkException {
        if (!hasRoom()) {
            throw new NetworkException(call, subject, ErrorCode.EMFILE);
        }
        int number = lowestFree;
        if (number >= files.length) {
            files = Arrays.copyOf(files, number * 2);
        }
        files[number] = file;
        open++;
        int next = number + 1;
        while (next < files.length && files[next] != null) {
            next++;
        }
        lowestFree = next;
        return number;
    }

    @Nullable
    OpenFile file(int number) {
        return number >= 0 && number < files.length ? files[number] : null;
    }

    void remove(int number) {
        files[number] = null;
        open--;
        lowestFree = Math.min(lowestFree, number);
    }

    /** The open numbers with their files, for who looks for leaks. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = FIRST; i < files.length; i++) {
            if (files[i] != null) {
                text.append(text.isEmpty() ? "" : ", ").append(i).append(": ").append(files[i]);
            }
        }
        return text.toString();
    }
}
