package io.trivet.select;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The processor time of a thread as the kernel counts it: the first number of schedstat, in nanoseconds (man 5 proc). */
final class CpuTime {
    private static final Path SCHEDSTAT = Path.of("/proc/thread-self/schedstat");

    private CpuTime() {}

    static long currentThreadNanos() throws IOException {
        String text = Files.readString(SCHEDSTAT);
        return Long.parseLong(text.substring(0, text.indexOf(' ')));
    }
}
