package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;

/** The number of accepted connections, in total and per address. */
final class ConnectionLimitTest {
    private static InetSocketAddress client(String address, int port) {
        return new InetSocketAddress(InetAddress.ofLiteral(address), port);
    }

    @Test
    void limitIsLiftedByTheFirstConnectionThatGoes() {
        ConnectionLimit limit = new ConnectionLimit(Limits.defaults().withConnectionsMax(2));
        limit.add(client("10.0.0.1", 1));
        assertThat(limit.isReached()).isFalse();
        assertThat(limit.remove(client("10.0.0.1", 1))).as("it was not reached").isFalse();
        limit.add(client("10.0.0.1", 1));
        limit.add(client("10.0.0.1", 2));
        assertThat(limit.isReached()).isTrue();
        assertThat(limit.remove(client("10.0.0.1", 1))).isTrue();
        assertThat(limit.isReached()).isFalse();
        assertThat(limit.remove(client("10.0.0.1", 2))).as("only once").isFalse();
    }

    @Test
    void connectionsBeyondTheLimitKeepItReached() {
        ConnectionLimit limit = new ConnectionLimit(Limits.defaults().withConnectionsMax(1));
        limit.add(client("10.0.0.1", 1));
        limit.add(client("10.0.0.2", 1)); // was accepted already when the limit was reached
        assertThat(limit.remove(client("10.0.0.1", 1))).isFalse();
        assertThat(limit.isReached()).isTrue();
        assertThat(limit.remove(client("10.0.0.2", 1))).isTrue();
    }

    @Test
    void addressIsRefusedAtItsOwnLimitWhateverItsPort() {
        ConnectionLimit limit = new ConnectionLimit(Limits.defaults().withConnectionsMax(3).withConnectionsPerAddressMax(2));
        assertThat(limit.add(client("10.0.0.1", 1))).isNull();
        assertThat(limit.add(client("10.0.0.1", 2))).isNull();
        assertThat(limit.add(client("10.0.0.1", 3))).isEqualTo(CloseReason.TOO_MANY_FROM_ADDRESS);
        assertThat(limit.isReached()).as("a refused connection is not counted").isFalse();
        assertThat(limit.add(client("10.0.0.2", 1))).isNull();
        assertThat(limit.isReached()).isTrue();
        limit.remove(client("10.0.0.1", 1));
        assertThat(limit.add(client("10.0.0.1", 3))).isNull();
        assertThat(limit.add(client("10.0.0.1", 4))).isEqualTo(CloseReason.TOO_MANY_FROM_ADDRESS);
    }
}
