package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Tools;
import io.trivet.net.Completions;
import io.trivet.net.EngineStatus;
import io.trivet.net.ErrorCode;
import io.trivet.net.Intercept;
import io.trivet.net.Network;
import io.trivet.net.Proactor;
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
        "io_uring_setup, EPERM, 2, sysctl -w kernel.io_uring_disabled=0",
        "io_uring_setup, EPERM, 1, kernel.io_uring_group",
        "io_uring_setup, EPERM, 0, seccomp profile",
        "io_uring_setup, EPERM, -, seccomp profile",
        "io_uring_enter, EPERM, 2, io_uring_enter is forbidden",
        "io_uring_register, EACCES, 0, io_uring_register is forbidden",
        "io_uring_setup, ENOSYS, -, seccomp profile",
        "io_uring_enter, ENOSYS, -, this kernel has no io_uring_enter",
        "io_uring_setup, EINVAL, 0, Linux 6.0",
        "io_uring_setup, ENOMEM, 0, ulimit -l",
        "mmap, ENOMEM, 0, may lock 64 KiB",
        "io_uring_setup, EMFILE, 0, ulimit -n"})
    void everyRefusalNamesItsCure(String call, ErrorCode code, String disabled, String cure) {
        assertThat(UringProbe.explain(call, code, disabled, "64 KiB")).contains(cure);
    }

    @Test
    void unknownErrorIsNamed() {
        assertThat(UringProbe.explain("io_uring_enter", ErrorCode.EIO, "0", null)).contains("io_uring_enter", "EIO");
    }

    /** Simulates a container that forbids io_uring, and an old kernel. */
    @ParameterizedTest
    @CsvSource({"io_uring_setup:error=EPERM, forbidden", "io_uring_setup:error=ENOSYS, has no io_uring",
        "io_uring_setup:error=ENOMEM, locked memory", "io_uring_setup:error=EMFILE, no descriptor left",
        "io_uring_register:error=EINVAL, Linux 6.0", "io_uring_register:error=EPERM, io_uring_register is forbidden",
        "io_uring_register:error=ENOMEM:when=2, ulimit -l", "io_uring_enter:error=EPERM, io_uring_enter is forbidden",
        "io_uring_enter:error=ENOSYS, has no io_uring_enter"})
    void systemNetworkIsEpollIfThereIsNoRing(String injection, String reason) throws Exception {
        Path trace = directory.resolve("trace");
        List<String> command = new ArrayList<>(List.of(Tools.require("strace"), "-f", "-o", trace.toString(),
                "-e", "trace=io_uring_setup,io_uring_register,io_uring_enter", "-e", "inject=" + injection));
        command.addAll(Tools.java(Ask.class));
        try (Tools.Peer child = Tools.start(command.toArray(String[]::new))) {
            String system = child.line();
            assumeTrue(system != null || (Files.exists(trace) && Files.size(trace) > 0), "strace may not trace here");
            assertThat(system).isEqualTo("epoll");
            assertThat(child.line()).startsWith("uring is not available: ").contains(reason);
            assertThat(child.line()).contains(reason);
        }
    }

    /** Otherwise an idle server shows up as I/O wait and I/O pressure of the machine. Linux 6.15 has the flag. */
    @Test
    void waitDoesNotCountAsInputOrOutputWhereTheKernelCanTell() throws Exception {
        Path trace = directory.resolve("trace");
        List<String> command = new ArrayList<>(List.of(Tools.require("strace"), "-f", "-o", trace.toString(),
                "-e", "trace=io_uring_enter", "-e", "raw=io_uring_enter"));
        command.addAll(Tools.java(WaitOnce.class));
        try (Tools.Peer child = Tools.start(command.toArray(String[]::new))) {
            String result = child.line();
            assumeTrue(result != null || (Files.exists(trace) && Files.size(trace) > 0), "strace may not trace here");
            assumeTrue("0".equals(result), "no ring here: " + result);
            child.finish();
        }
        String flags = hasNoIowait(Files.readString(Path.of("/proc/sys/kernel/osrelease"))) ? "0x89" : "0x9";
        assertThat(Files.readString(trace)).containsPattern("io_uring_enter\\(0x[0-9a-f]+, 0x[0-9a-f]+, 0x1, " + flags + ", ");
    }

    private static boolean hasNoIowait(String release) {
        String[] parts = release.strip().split("[.-]", 3);
        int major = Integer.parseInt(parts[0]);
        return major > 6 || (major == 6 && Integer.parseInt(parts[1]) >= 15);
    }

    /** Waits for a millisecond, and prints the number of completions. */
    static final class WaitOnce {
        private WaitOnce() {}

        public static void main(String[] args) throws java.io.IOException {
            try (Proactor proactor = Network.named("uring").proactor()) {
                Completions none = Intercept.method(Completions.class, null, "toString", _ -> "none");
                System.out.println(proactor.poll(none, 1_000_000));
            } catch (UnavailableException e) {
                System.out.println(e.reason());
            }
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
