package io.trivet.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import io.trivet.observe.ListenerSnapshot;
import io.trivet.observe.ListenerSnapshot.State;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

final class MetricsTest {
    @Test
    void listenersWithOneAddressAreOneSeries() {
        InetSocketAddress address = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 80);
        InetSocketAddress other = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 81);
        assertThat(Metrics.acceptingByAddress(List.of(new ListenerSnapshot(address, State.CLOSED),
                new ListenerSnapshot(address, State.ACCEPTING), new ListenerSnapshot(other, State.AT_LIMIT))))
                .containsExactly(entry("127.0.0.1:80", true), entry("127.0.0.1:81", false));
    }
}
