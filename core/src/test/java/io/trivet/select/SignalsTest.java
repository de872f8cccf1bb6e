package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Case;
import io.trivet.contract.Tools;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Waits that fail in the kernel, with EINTR or a missing system call. strace injects the errors. */
class SignalsTest {
    /** Ten times the total delay of the interruptions: they take longer on a busy machine, and a wait must follow the last. */
    private static final long TIMEOUT_NANOS = 1_500_000_000;
    /** How long strace delays each interrupted wait. */
    private static final long DELAY_NANOS = 30_000_000;
    private static final int INTERRUPTIONS = 5;

    /** A waiting system call as strace prints it, in one line or two. The groups are its timeout. */
    private static final Pattern WAIT = Pattern.compile(
            " (?:ppoll|pselect6|epoll_pwait2)(?:\\(| resumed>).*?\\{tv_sec=(\\d+), tv_nsec=(\\d+)\\}");

    @TempDir private Path directory;

    /** Interrupted waits count: the next timeout is shorter by the time they took, and the whole timeout passes in the end. */
    @Case("C1")
    @ParameterizedTest
    @CsvSource({"poll, ppoll", "select, pselect6", "epoll, epoll_pwait2"})
    void signalsDoNotDelayTheDeadline(String engine, String call) throws Exception {
        List<String> trace = traced(engine,
                call + ":error=EINTR:delay_exit=" + DELAY_NANOS / 1000 + ":when=1.." + INTERRUPTIONS);
        int interruptions = 0;
        long lastTimeoutNanos = -1;
        for (String line : trace) {
            Matcher wait = WAIT.matcher(line);
            if (wait.find()) { // strace does not show the timeout of a failed epoll_pwait2
                lastTimeoutNanos = Long.parseLong(wait.group(1)) * 1_000_000_000 + Long.parseLong(wait.group(2));
                assertThat(lastTimeoutNanos).as("after %d interruptions, in %s", interruptions, trace)
                        .isPositive().isLessThanOrEqualTo(TIMEOUT_NANOS - interruptions * DELAY_NANOS);
            }
            interruptions += line.contains("(INJECTED)") ? 1 : 0;
        }
        assertThat(interruptions).as("interruptions in %s", trace).isEqualTo(INTERRUPTIONS);
        assertThat(lastTimeoutNanos).as("the timeout after the last interruption")
                .isLessThanOrEqualTo(TIMEOUT_NANOS - INTERRUPTIONS * DELAY_NANOS);
    }

    /** The C library has epoll_pwait2, but the kernel does not (ENOSYS), or a container's seccomp filter rejects it (EPERM). */
    @Case("C1")
    @ParameterizedTest
    @CsvSource({"ENOSYS", "EPERM"})
    void epollFallsBackToEpollWait(String error) throws Exception {
        List<String> trace = traced("epoll", "epoll_pwait2:error=" + error);
        assertThat(trace).filteredOn(line -> line.contains(" epoll_pwait2(")).as("attempts, in %s", trace).hasSize(1);
        assertThat(trace).filteredOn(line -> line.contains(" epoll_wait(")).isNotEmpty();
    }

    /** Runs {@link Sleep} in another JVM under strace. Returns the trace of its waiting calls. */
    private List<String> traced(String engine, String injection) throws Exception {
        Path trace = directory.resolve("trace");
        List<String> command = new ArrayList<>(List.of(Tools.require("strace"), "-f", "-o", trace.toString(),
                "-e", "trace=ppoll,pselect6,epoll_pwait2,epoll_wait", "-e", "inject=" + injection));
        command.addAll(Tools.java(Sleep.class, engine));
        try (Tools.Peer child = Tools.start(command.toArray(String[]::new))) {
            String took = child.line();
            assumeTrue(took != null || (Files.exists(trace) && Files.size(trace) > 0), "strace is not permitted to trace here");
            assertThat(took).as("output of the program").isNotNull();
            assertThat(Long.parseLong(took)).as("nanoseconds").isGreaterThanOrEqualTo(TIMEOUT_NANOS);
            assertThat(child.finish()).isEmpty();
        }
        return Files.readAllLines(trace);
    }

    /** Waits once for an empty pipe, and prints the elapsed time in nanoseconds. */
    static final class Sleep {
        private Sleep() {}

        public static void main(String[] args) throws Exception {
            NetworkSelect select = Select.on(Network.named(args[0]));
            try (Pipe pipe = Network.system().pipe()) {
                long start = System.nanoTime();
                boolean empty = select.select(List.of(pipe.source()), List.of(), List.of(), Duration.ofNanos(TIMEOUT_NANOS))
                        .isEmpty();
                long took = System.nanoTime() - start;
                System.out.println(empty ? took : -1);
            }
        }
    }
}
