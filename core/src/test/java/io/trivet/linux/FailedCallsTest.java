package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Tools;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
