package io.trivet.select;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How long a thread has really worked, as the kernel counts it (man 5 proc: schedstat's first number, nanoseconds). */
final class CpuTime {
    private static final Path SCHEDSTAT = Path.of("/proc/thread-self/schedstat");

    private CpuTime() {}

    static long ofThisThreadNanos() throws IOException {
        String text = Files.readString(SCHEDSTAT);
        return Long.parseLong(text.substring(0, text.indexOf(' ')));
    }
}
