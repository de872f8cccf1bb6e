package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Tools;
import io.trivet.net.EngineStatus;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.UnavailableException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Reasons why there is no ring, and their cures. */
final class UringProbeTest {
    @TempDir Path directory;

    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {
        "EPERM, 2, sysctl -w kernel.io_uring_disabled=0",
        "EPERM, 1, kernel.io_uring_group",
        "EPERM, 0, seccomp profile",
        "EPERM, -, seccomp profile",
        "ENOSYS, -, seccomp profile",
        "EINVAL, 0, Linux 6.0",
        "ENOMEM, 0, ulimit -l",
        "EMFILE, 0, ulimit -n"})
    void everyRefusalNamesItsCure(ErrorCode code, String disabled, String cure) {
        assertThat(UringProbe.explain(code, disabled)).contains(cure);
    }

    @Test
    void unknownErrorIsNamed() {
        assertThat(UringProbe.explain(ErrorCode.EIO, "0")).contains("EIO");
    }

    /** Simulates a container that forbids io_uring, and an old kernel. */
    @ParameterizedTest
    @CsvSource({"io_uring_setup:error=EPERM, forbidden", "io_uring_setup:error=ENOSYS, has no io_uring",
        "io_uring_setup:error=ENOMEM, locked memory", "io_uring_setup:error=EMFILE, no descriptor left",
        "io_uring_register:error=EINVAL, Linux 6.0"})
    void systemNetworkIsEpollIfThereIsNoRing(String injection, String reason) throws Exception {
        Path trace = directory.resolve("trace");
        List<String> command = new ArrayList<>(List.of(Tools.require("strace"), "-f", "-o", trace.toString(),
                "-e", "trace=io_uring_setup,io_uring_register", "-e", "inject=" + injection));
        command.addAll(Tools.java(Ask.class));
        try (Tools.Peer child = Tools.start(command.toArray(String[]::new))) {
            String system = child.line();
            assumeTrue(system != null || (Files.exists(trace) && Files.size(trace) > 0), "strace may not trace here");
            assertThat(system).isEqualTo("epoll");
            assertThat(child.line()).startsWith("uring is not available: ").contains(reason);
            assertThat(child.line()).contains(reason);
        }
    }

    /** Prints the system's network, why it is not the ring, and the remark in the list of engines. */
    static final class Ask {
        private Ask() {}

        public static void main(String[] args) {
            System.out.println(Network.system().name());
            try {
                System.out.println(Network.named("uring"));
            } catch (UnavailableException e) {
                System.out.println(e.reason());
            }
            System.out.println(Network.engines().stream().filter(status -> status.name().equals("uring")).findFirst()
                    .map(EngineStatus::remark).orElse("unknown"));
        }
    }
}
