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

/** What the kernel can answer to a wait besides readiness, put in its mouth by strace. */
class SignalsTest {
    /** Ten times what the interruptions take: on a busy machine each takes longer, and there must be a wait left behind the last. */
    private static final long TIMEOUT_NANOS = 1_500_000_000;
    /** How long strace holds each interrupted wait up. */
    private static final long DELAY_NANOS = 30_000_000;
    private static final int INTERRUPTIONS = 5;

    /** A wait as strace writes it, in one line or two: what matters is the timeout that was asked for. */
    private static final Pattern WAIT = Pattern.compile(
            " (?:ppoll|pselect6|epoll_pwait2)(?:\\(| resumed>).*?\\{tv_sec=(\\d+), tv_nsec=(\\d+)\\}");

    @TempDir private Path directory;

    /** The time of interrupted waits counts: what is asked of the kernel shrinks by it, and all of it is slept in the end. */
    @Case("C1")
    @ParameterizedTest
    @CsvSource({"poll, ppoll", "select, pselect6", "epoll, epoll_pwait2"})
    void signalsDoNotCostTheDeadlineANanosecond(String engine, String call) throws Exception {
        List<String> trace = traced(engine,
                call + ":error=EINTR:delay_exit=" + DELAY_NANOS / 1000 + ":when=1.." + INTERRUPTIONS);
        int interruptions = 0;
        long lastAsked = -1;
        for (String line : trace) {
            Matcher wait = WAIT.matcher(line);
            if (wait.find()) { // of a failed epoll_pwait2 strace does not show the timeout
                lastAsked = Long.parseLong(wait.group(1)) * 1_000_000_000 + Long.parseLong(wait.group(2));
                assertThat(lastAsked).as("after %d interruptions, in %s", interruptions, trace)
                        .isPositive().isLessThanOrEqualTo(TIMEOUT_NANOS - interruptions * DELAY_NANOS);
            }
            interruptions += line.contains("(INJECTED)") ? 1 : 0;
        }
        assertThat(interruptions).as("interruptions in %s", trace).isEqualTo(INTERRUPTIONS);
        assertThat(lastAsked).as("the wait after the last").isLessThanOrEqualTo(TIMEOUT_NANOS - INTERRUPTIONS * DELAY_NANOS);
    }

    /** A C library that has the call, above a kernel that has not, or a container's filter that does not know it. */
    @Case("C1")
    @ParameterizedTest
    @CsvSource({"ENOSYS", "EPERM"})
    void epollDoesWithoutTheCallThatCountsInNanoseconds(String error) throws Exception {
        List<String> trace = traced("epoll", "epoll_pwait2:error=" + error);
        assertThat(trace).filteredOn(line -> line.contains(" epoll_pwait2(")).as("tried once, in %s", trace).hasSize(1);
        assertThat(trace).filteredOn(line -> line.contains(" epoll_wait(")).isNotEmpty();
    }

    /** Runs {@link Sleep} in a JVM of its own under strace; gives the lines about calls that wait for a pipe. */
    private List<String> traced(String engine, String injection) throws Exception {
        Path trace = directory.resolve("trace");
        List<String> command = new ArrayList<>(List.of(Tools.require("strace"), "-f", "-o", trace.toString(),
                "-e", "trace=ppoll,pselect6,epoll_pwait2,epoll_wait", "-e", "inject=" + injection));
        command.addAll(Tools.java(Sleep.class, engine));
        try (Tools.Peer child = Tools.start(command.toArray(String[]::new))) {
            String took = child.line();
            assumeTrue(took != null || (Files.exists(trace) && Files.size(trace) > 0), "strace may not trace here");
            assertThat(took).as("what it prints").isNotNull();
            assertThat(Long.parseLong(took)).as("nanoseconds").isGreaterThanOrEqualTo(TIMEOUT_NANOS);
            assertThat(child.finish()).isEmpty();
        }
        return Files.readAllLines(trace);
    }

    /** Waits once for an empty pipe, and prints how long that took. */
    static final class Sleep {
        private Sleep() {}

        public static void main(String[] args) throws Exception {
            NetworkSelect select = Select.on(Network.named(args[0]));
            try (Pipe pipe = Network.system().pipe()) {
                long begun = System.nanoTime();
                boolean empty = select.select(List.of(pipe.source()), List.of(), List.of(), Duration.ofNanos(TIMEOUT_NANOS))
                        .isEmpty();
                long took = System.nanoTime() - begun;
                System.out.println(empty ? took : -1);
            }
        }
    }
}
