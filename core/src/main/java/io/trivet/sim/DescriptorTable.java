package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The descriptor table of a process. A file gets the lowest free number below the limit; 0, 1 and 2 are always in use. */
final class DescriptorTable {
    /** The largest limit that Linux allows by default (fs.nr_open). */
    private static final int LIMIT_DEFAULT = 1 << 20;

    private static final int FIRST = 3;

    private @Nullable OpenFile[] files = new @Nullable OpenFile[32];
    private int lowestFree = FIRST;
    private int open;
    private int limit = LIMIT_DEFAULT;

    void limit(int most) {
        limit = most;
    }

    /** Returns the number of open descriptors. */
    int open() {
        return open;
    }

    /** Returns whether a number below the limit is free. */
    boolean hasRoom() {
        return lowestFree < limit;
    }

    /**
     * Assigns the lowest free number to a file.
     *
     * @throws NetworkException EMFILE, if the limit is reached
     */
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

    /** Returns the open descriptors with their files, to find a leak. */
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
