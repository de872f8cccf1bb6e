package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Tools;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Poller;
import io.trivet.net.Proactor;
import io.trivet.net.ReadyEvents;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** When the kernel refuses a poller's call, the exception names that call. strace injects the errors. */
final class FailedCallsTest {
    private static final long SECOND = 1_000_000_000L;

    @TempDir Path directory;

    @ParameterizedTest
    @CsvSource({"epoll, epoll_create1:error=EMFILE, epoll_create1: EMFILE", "epoll, epoll_ctl:error=ENOSPC, epoll_ctl: ENOSPC",
        "epoll, epoll_pwait2:error=EINVAL, epoll_pwait2: EINVAL", "epoll, ?epoll_wait:error=EINVAL, epoll_wait: EINVAL",
        "poll, ppoll:error=ENOMEM, poll: ENOMEM", "select, pselect6:error=ENOMEM, select: ENOMEM"})
    void exceptionNamesTheCallThatFailed(String engine, String injection, String message) throws Exception {
        Path trace = directory.resolve("trace");
        String call = injection.substring(0, injection.indexOf(':'));
        List<String> command = new ArrayList<>(List.of(Tools.require("strace"), "-f", "-o", trace.toString(),
                "-e", "trace=" + call, "-e", "inject=" + injection));
        command.addAll(Tools.java(PollOnce.class, engine));
        try (Tools.Peer child = Tools.start(command.toArray(String[]::new))) {
            String printed = child.line();
            assumeTrue(printed != null || (Files.exists(trace) && Files.size(trace) > 0), "strace may not trace here");
            assumeTrue(Files.size(trace) > 0, "this machine has no call " + call);
            assertThat(printed).startsWith(message);
        }
    }

    /** A signal that cannot be cleared must not be the last one that wakes a loop. */
    @ParameterizedTest
    @ValueSource(strings = {"uring", "epoll", "poll", "select"})
    void proactorIsWokenAgainThoughItsWakeupCannotBeRead(String engine) throws Exception {
        String strace = Tools.require("strace");
        assumeTrue(Network.engines().stream().anyMatch(each -> each.name().equals(engine) && each.available()),
                engine + " is not available here");
        Path go = directory.resolve("go");
        Process child = new ProcessBuilder(Tools.java(WakeAgain.class, engine, go.toString())).redirectErrorStream(true).start();
        Process tracer = null;
        try (BufferedReader lines = child.inputReader()) {
            assertThat(lines.readLine()).isEqualTo("ready");
            tracer = new ProcessBuilder(strace, "-f", "-qq", "-o", directory.resolve("trace").toString(), "-p",
                    Long.toString(child.pid()), "-e", "trace=read", "-e", "inject=read:error=ECONNRESET").start();
            while (tracer.isAlive() && !isTraced(child.pid())) {
                Thread.onSpinWait();
            }
            assumeTrue(tracer.isAlive(), "strace may not trace here");
            Files.createFile(go);
            assertThat(lines.readLine()).isEqualTo("woken 5 times");
        } finally {
            if (tracer != null) {
                tracer.destroyForcibly();
            }
            child.destroyForcibly();
        }
    }

    /** Returns whether all threads of a process are traced. */
    private static boolean isTraced(long pid) throws IOException {
        try (Stream<Path> tasks = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
            return tasks.noneMatch(task -> {
                try {
                    return Files.readString(task.resolve("status")).contains("TracerPid:\t0\n");
                } catch (IOException e) {
                    return false; // it has just ended
                }
            });
        }
    }

    /** Wakes a proactor that waits, five times, once a file exists. Reads nothing meanwhile. */
    static final class WakeAgain {
        private WakeAgain() {}

        public static void main(String[] args) throws Exception {
            Path go = Path.of(args[1]);
            Semaphore woken = new Semaphore(0);
            Proactor proactor = Network.named(args[0]).proactor();
            Thread.ofPlatform().daemon().start(() -> {
                try {
                    while (true) {
                        proactor.poll(null, -1); // no completion is delivered
                        woken.release();
                    }
                } catch (IOException e) {
                    System.out.println(e);
                }
            });
            for (int i = 0; i < 3; i++) { // loads the classes
                proactor.wakeup();
                woken.tryAcquire(10, TimeUnit.SECONDS);
            }
            System.out.println("ready");
            while (!Files.exists(go)) {
                Thread.onSpinWait();
            }
            for (int i = 0; i < 5; i++) {
                woken.drainPermits();
                proactor.wakeup();
                if (!woken.tryAcquire(10, TimeUnit.SECONDS)) {
                    System.out.println("not woken by wake-up " + i);
                    return;
                }
            }
            System.out.println("woken 5 times");
        }
    }

    /** Opens a poller and polls twice: without waiting, then for up to a second. Prints the failure. */
    static final class PollOnce {
        private PollOnce() {}

        public static void main(String[] args) throws IOException {
            try (Poller poller = Network.named(args[0]).poller()) {
                poller.poll(new ReadyEvents(1), 0);
                poller.poll(new ReadyEvents(1), SECOND);
                System.out.println("no failure");
            } catch (NetworkException e) {
                System.out.println(e.getMessage());
                System.out.println(e.call());
            }
        }
    }
}
