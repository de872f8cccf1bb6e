package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The environment variables of a service manager. Sockets and notifications are tested with the program. */
final class SupervisorTest {
    private static Supervisor of(Map<String, String> environment) {
        return new Supervisor(environment, 42);
    }

    @Test
    void socketsAreForTheProcessOfListenPidOnly() throws IOException {
        assertThat(of(Map.of()).passedSockets()).isZero();
        assertThat(of(Map.of("LISTEN_FDS", "2")).passedSockets()).isZero();
        assertThat(of(Map.of("LISTEN_FDS", "2", "LISTEN_PID", "41")).passedSockets()).isZero();
        assertThat(of(Map.of("LISTEN_FDS", "2", "LISTEN_PID", "42")).passedSockets()).isEqualTo(2);
        assertThat(of(Map.of()).listeners(Network.named("nio"))).isEmpty();
    }

    @Test
    void socketsHaveNames() {
        Supervisor named = of(Map.of("LISTEN_FDNAMES", "web::admin"));
        assertThat(named.name(0)).isEqualTo("descriptor 3 (web)");
        assertThat(named.name(1)).isEqualTo("descriptor 4");
        assertThat(named.name(2)).isEqualTo("descriptor 5 (admin)");
        assertThat(named.name(3)).isEqualTo("descriptor 6");
        assertThat(of(Map.of()).name(0)).isEqualTo("descriptor 3");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"two | 42 | LISTEN_FDS must be a number from 0 to 1024, not 'two'",
        "1025 | 42 | LISTEN_FDS must be a number from 0 to 1024, not '1025'",
        "-1 | 42 | LISTEN_FDS must be a number from 0 to 1024, not '-1'",
        "1 | me | LISTEN_PID must be a number from 0 to 2147483647, not 'me'"})
    void malformedVariablesAreRefused(String count, String pid, String message) {
        assertThatThrownBy(() -> of(Map.of("LISTEN_FDS", count, "LISTEN_PID", pid)).passedSockets())
                .isInstanceOf(IOException.class)
                .hasMessage(message);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void notificationThatCannotBeSentIsAnError() throws IOException {
        Network network = Network.named("epoll");
        assertThat(of(Map.of()).report(network, "READY=1")).isFalse();
        assertThat(of(Map.of("NOTIFY_SOCKET", "")).report(network, "READY=1")).isFalse();
        assertThatThrownBy(() -> of(Map.of("NOTIFY_SOCKET", "/nowhere/notify")).report(network, "READY=1"))
                .isInstanceOf(NetworkException.class).hasMessageContaining("/nowhere/notify").hasMessageContaining("ENOENT");
        assertThatThrownBy(() -> of(Map.of("NOTIFY_SOCKET", "vsock:2:1")).report(network, "READY=1"))
                .hasMessage("NOTIFY_SOCKET must be a path or an abstract name, not 'vsock:2:1'");
        assertThatThrownBy(() -> of(Map.of("NOTIFY_SOCKET", "/" + "x".repeat(107))).report(network, "READY=1"))
                .isInstanceOf(IOException.class).hasMessageContaining("1 to 107 bytes, not 108");
        assertThatThrownBy(() -> of(Map.of("NOTIFY_SOCKET", "@")).report(network, "READY=1")).isInstanceOf(IOException.class)
                .hasMessageContaining("1 to 107 bytes, not 0");
    }
}
