package io.trivet.sim.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tests the reading of the kernel's counters of TCP memory. */
final class TcpMemoryPressureTest {
    private static final List<String> NETSTAT = List.of(
            "TcpExt: PruneCalled TCPMemoryPressures TCPMemoryPressuresChrono TCPSackShifted",
            "TcpExt: 7 2 31 4", "IpExt: InNoRoutes InOctets", "IpExt: 0 9");

    @Test
    void countersAreReadByName() {
        assertThat(TcpMemoryPressure.parse(NETSTAT,
                List.of("sockets: used 20", "TCP: inuse 2 orphan 0 tw 0 alloc 2 mem 5", "UDP: inuse 0 mem 3"),
                List.of("287898\t383867\t575796"))).isEqualTo(new TcpMemoryPressure(2, 31, 5, 383867));
        assertThat(TcpMemoryPressure.parse(List.of(), List.of(), List.of())).isEqualTo(new TcpMemoryPressure(0, 0, 0, 0));
    }

    @Test
    void pressureIsNoticedWhetherItHasStartedOrStillLasts() {
        TcpMemoryPressure before = new TcpMemoryPressure(2, 31, 5, 100);
        assertThat(new TcpMemoryPressure(2, 31, 90, 100).since(before)).isNull();
        assertThat(new TcpMemoryPressure(3, 31, 5, 100).since(before)).contains("2 before, 3 now").contains("net.ipv4.tcp_mem");
        assertThat(new TcpMemoryPressure(2, 40, 5, 100).since(before)).isNotNull();
        assertThat(new TcpMemoryPressure(2, 31, 101, 100).since(before)).isNotNull();
        assertThat(new TcpMemoryPressure(2, 31, 5, 100).since(new TcpMemoryPressure(2, 31, 101, 100))).isNotNull();
    }

    @Test
    void readsTheCountersOfThisMachine() throws IOException {
        TcpMemoryPressure now = TcpMemoryPressure.now();
        assertThat(now.count()).isNotNegative();
        assertThat(now.pages()).isNotNegative();
    }
}
