package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.Pair;
import java.io.IOException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.List;
import java.util.Map;

/** Socket options. */
final class OptionsTest {
    @EveryEngine
    @Case("S1")
    void optionsOfTheJdk(Lab lab) throws IOException {
        Pair pair = lab.pair();
        TcpStream stream = pair.client();
        for (SocketOption<Boolean> option : List.of(StandardSocketOptions.TCP_NODELAY, StandardSocketOptions.SO_KEEPALIVE)) {
            for (boolean value : new boolean[]{true, false}) {
                stream.setOption(option, value);
                assertThat(stream.getOption(option)).as(option.name()).isEqualTo(value);
            }
        }
        for (int seconds : new int[]{5, 0, -1}) {
            stream.setOption(StandardSocketOptions.SO_LINGER, seconds);
            assertThat(stream.getOption(StandardSocketOptions.SO_LINGER)).as("negative: off").isEqualTo(seconds);
        }
        for (SocketOption<Integer> option : List.of(StandardSocketOptions.SO_SNDBUF, StandardSocketOptions.SO_RCVBUF)) {
            stream.setOption(option, 50_000);
            assertThat(stream.getOption(option)).as("the kernel may double it").isBetween(50_000, 100_000);
        }
        UdpSocket udp = lab.udp();
        udp.setOption(StandardSocketOptions.SO_BROADCAST, true);
        assertThat(udp.getOption(StandardSocketOptions.SO_BROADCAST)).isTrue();
    }

    @EveryEngine
    @Case("S1")
    void listenerHasReuseAddressSet(Lab lab) throws IOException {
        assertThat(lab.listener().getOption(StandardSocketOptions.SO_REUSEADDR)).isTrue();
    }

    @EveryEngine
    @Case("S1")
    void connectionsInheritTheOptionsOfTheirListener(Lab lab) throws IOException {
        ListenOptions options = ListenOptions.none().with(StandardSocketOptions.TCP_NODELAY, true)
                .with(StandardSocketOptions.SO_KEEPALIVE, true)
                .with(TcpOptions.KEEP_ALIVE_IDLE_SECONDS, 33)
                .with(TcpOptions.KEEP_ALIVE_INTERVAL_SECONDS, 7)
                .with(TcpOptions.USER_TIMEOUT_MILLIS, 12_345);
        if (!lab.network().supports(Capability.INHERITED_OPTIONS)) {
            assertThatThrownBy(() -> lab.network().listen(Lab.FREE_PORT, 4, options))
                    .isInstanceOf(UnsupportedOperationException.class);
            return;
        }
        TcpStream accepted = lab.pair(lab.keep(lab.network().listen(Lab.FREE_PORT, 4, options))).server();
        assertThat(accepted.getOption(StandardSocketOptions.TCP_NODELAY)).isTrue();
        assertThat(accepted.getOption(StandardSocketOptions.SO_KEEPALIVE)).isTrue();
        assertThat(accepted.getOption(TcpOptions.KEEP_ALIVE_IDLE_SECONDS)).isEqualTo(33);
        assertThat(accepted.getOption(TcpOptions.KEEP_ALIVE_INTERVAL_SECONDS)).isEqualTo(7);
        assertThat(accepted.getOption(TcpOptions.USER_TIMEOUT_MILLIS)).isEqualTo(12_345);
    }

    @EveryEngine
    @Case("S1")
    void optionsOfTcp(Lab lab) throws IOException {
        TcpStream stream = lab.pair().client();
        if (TcpReadinessTest.refusesOption(lab, stream, TcpOptions.USER_TIMEOUT_MILLIS, 1)) {
            return;
        }
        Map<SocketOption<Integer>, Integer> numbers = Map.of(TcpOptions.USER_TIMEOUT_MILLIS, 12_345,
                TcpOptions.KEEP_ALIVE_IDLE_SECONDS, 33, TcpOptions.KEEP_ALIVE_INTERVAL_SECONDS, 7, TcpOptions.KEEP_ALIVE_PROBES,
                4,
                TcpOptions.RECEIVE_LOW_WATER, 100, TcpOptions.NOT_SENT_LOW_WATER, 16_384);
        for (Map.Entry<SocketOption<Integer>, Integer> entry : numbers.entrySet()) {
            stream.setOption(entry.getKey(), entry.getValue());
            assertThat(stream.getOption(entry.getKey())).as(entry.getKey().name()).isEqualTo(entry.getValue());
        }
        stream.setOption(TcpOptions.URGENT_INLINE, true);
        assertThat(stream.getOption(TcpOptions.URGENT_INLINE)).isTrue();
    }

    @EveryEngine
    @Case("S1")
    void valuesThatTheKernelDoesNotAcceptAreRefused(Lab lab) throws IOException {
        TcpStream stream = lab.pair().client();
        if (TcpReadinessTest.refusesOption(lab, stream, TcpOptions.USER_TIMEOUT_MILLIS, 1)) {
            return;
        }
        Map<SocketOption<Integer>, List<Integer>> refused = Map.of(TcpOptions.USER_TIMEOUT_MILLIS, List.of(-1),
                TcpOptions.KEEP_ALIVE_IDLE_SECONDS, List.of(0, 32_768), TcpOptions.KEEP_ALIVE_INTERVAL_SECONDS,
                List.of(0, 32_768), TcpOptions.KEEP_ALIVE_PROBES, List.of(0, 128));
        for (Map.Entry<SocketOption<Integer>, List<Integer>> entry : refused.entrySet()) {
            for (int value : entry.getValue()) {
                assertThatThrownBy(() -> stream.setOption(entry.getKey(), value)).as(entry.getKey().name() + " " + value)
                        .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.EINVAL));
            }
        }
    }

    @EveryEngine
    @Case("S1")
    void unknownOptionIsRejected(Lab lab) throws IOException {
        SocketOption<Integer> unknown = new SocketOption<>() {
            @Override
            public String name() {
                return "NO_SUCH_OPTION";
            }

            @Override
            public Class<Integer> type() {
                return Integer.class;
            }
        };
        Pipe pipe = lab.pipe();
        for (Socket socket : List.of(lab.listener(), lab.pair().client(), lab.udp(), pipe.source(), pipe.sink())) {
            assertThatThrownBy(() -> socket.setOption(unknown, 1)).isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("NO_SUCH_OPTION");
            assertThatThrownBy(() -> socket.getOption(unknown)).isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("NO_SUCH_OPTION");
        }
        assertThatThrownBy(() -> pipe.source().getOption(StandardSocketOptions.SO_RCVBUF))
                .isInstanceOf(UnsupportedOperationException.class);
    }
}
