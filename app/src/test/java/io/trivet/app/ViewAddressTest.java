package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which token {@code trivet top} sends to which host. */
final class ViewAddressTest {
    /** Nothing of ours is at this port. */
    private static final int PORT = 1;

    @BeforeEach
    void write() {
        ViewToken.write(PORT, "a-token-of-this-machine");
    }

    @AfterEach
    void delete() {
        ViewToken.delete(PORT);
    }

    private static String token(String host, String given) {
        return new ViewAddress(new HostPort(host, PORT), null).with(given).token();
    }

    @Test
    void tokenOfThisMachineIsForThisMachineOnly() {
        assertThat(token("127.0.0.1", null)).isEqualTo("a-token-of-this-machine");
        assertThat(token("localhost", null)).isEqualTo("a-token-of-this-machine");
        assertThat(token("::1", null)).isEqualTo("a-token-of-this-machine");
        assertThat(token("192.0.2.1", null)).isNull(); // an address for documentation, RFC 5737: never ours
        assertThat(token("192.0.2.1", "given")).isEqualTo("given");
    }

    @Test
    void aServerThatDoesNotAnswerIsNotMistakenForOneWithoutAView() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            ViewAddress address = new ViewAddress(new HostPort("127.0.0.1", silent.getLocalPort()), "token");
            assertThatThrownBy(() -> address.fetch("/api/tick")).isInstanceOf(IOException.class)
                    .hasMessage("the view at 127.0.0.1:" + silent.getLocalPort() + " does not answer within 5s");
        }
    }
}
