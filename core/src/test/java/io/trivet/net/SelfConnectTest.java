package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * Connects to a local port where nothing listens, until the system chooses that port as the socket's own. TCP then connects the
 * socket to itself.
 */
final class SelfConnectTest {
    @EveryEngine
    @Case("L9")
    void connectionToItselfIsRefusedAndLeavesThePortFree(Lab lab) throws IOException {
        List<String> hosts = lab.network() instanceof SimNetwork
                ? List.of("127.0.0.1") // its ports are used once, and then wait
                : List.of("127.0.0.1", "::1");
        for (String host : hosts) {
            InetSocketAddress unused = lab.keep(new SelfConnect(host)).address();
            boolean met = false;
            for (int i = 0; i < SelfConnect.ATTEMPTS && !met; i++) {
                try (TcpStream stream = lab.network().connect(unused)) {
                    met = isFromItself(stream, unused);
                    for (int repeated = 0; repeated < (met ? 2 : 1); repeated++) {
                        assertThatThrownBy(() -> lab.eventually("connected", stream::finishConnect))
                                .isInstanceOfSatisfying(NetworkException.class,
                                        e -> assertThat(e.code()).isEqualTo(ErrorCode.ECONNREFUSED))
                                .hasMessageContaining(Addresses.toString(unused));
                    }
                    if (met) {
                        lab.staysInLists(stream, "rw-");
                        assertThat(Lab.read(stream)).as("the end of its input").isNull();
                        try (TcpListener listener = lab.network().listen(unused, 1)) {
                            assertThat(listener.localAddress()).isEqualTo(unused);
                        }
                    }
                }
            }
            assertThat(met).as("connected to itself").isNotEqualTo(isHidden(lab));
        }
    }

    /** The local address of a stream of java.nio is not available while it connects. */
    private static boolean isHidden(Lab lab) {
        return lab.engine().equals("nio");
    }

    private static boolean isFromItself(TcpStream stream, InetSocketAddress target) throws IOException {
        try {
            return stream.localAddress().equals(target);
        } catch (NetworkException e) {
            assertThat(e.code()).isIn(ErrorCode.ENOTCONN, ErrorCode.ECONNREFUSED);
            return false;
        }
    }
}
