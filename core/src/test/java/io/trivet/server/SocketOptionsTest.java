package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Capability;
import io.trivet.net.ClosedSocketException;
import io.trivet.net.ListenOptions;
import io.trivet.net.Network;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpOptions;
import java.io.IOException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/** The options of a connection's socket: on its loop alone, while it has a socket. */
final class SocketOptionsTest {
    /** An option that no network has. */
    private record Unknown(String name, Class<Integer> type) implements SocketOption<Integer> {}

    @EveryNetwork
    void optionsAreSetAndReadOnTheLoop(Stage stage) throws Exception {
        AtomicReference<Throwable> closed = new AtomicReference<>();
        Story story = stage.story((connection, message) -> {
            assertThat(connection.getOption(StandardSocketOptions.SO_KEEPALIVE)).isFalse();
            connection.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            assertThat(connection.getOption(StandardSocketOptions.SO_KEEPALIVE)).isTrue();
            connection.setOption(StandardSocketOptions.TCP_NODELAY, false);
            assertThat(connection.getOption(StandardSocketOptions.TCP_NODELAY)).isFalse();
            assertThatThrownBy(() -> connection.setOption(new Unknown("X", Integer.class), 1))
                    .isInstanceOf(UnsupportedOperationException.class).hasMessageContaining("X");
            assertThatThrownBy(() -> connection.setOption(StandardSocketOptions.SO_LINGER, 1))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("finish()");
            connection.send("as expected");
            connection.close();
            try {
                connection.getOption(StandardSocketOptions.TCP_NODELAY);
            } catch (IOException e) {
                closed.set(e);
            }
        });
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        LoopParts.onOtherThread(() -> assertThatThrownBy(
                () -> story.connection(0).setOption(StandardSocketOptions.TCP_NODELAY, true))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("execute()"));
        client.send("x");
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(closed.get()).isInstanceOf(ClosedSocketException.class);
        assertThat(story.callbacks()).containsExactly("open", "message x", "close CLOSED");
    }

    @EveryNetwork
    void acceptedConnectionHasNoDelayAndKeepAlive(Stage stage) throws Exception {
        expectOptionsOfClients(stage, stage::tcpServer);
    }

    /** Its clients may have connected before the server had it, so they inherit nothing. */
    @EveryNetwork
    void connectionOfAPassedListenerHasNoDelayAndKeepAlive(Stage stage) throws Exception {
        TcpListener listener = stage.network().listen(Stage.FREE_PORT, 4);
        expectOptionsOfClients(stage, handler -> stage.serverWithoutListener()
                .listen(listener, stage.listening(Protocol.of(Framing.lines(), handler))));
    }

    /** The listener is that of a server with an idle timeout, which has handed it over. */
    @EveryNetwork
    void connectionOfAPassedListenerHasNoKeepAliveWithoutAnIdleTimeout(Stage stage) throws Exception {
        Network network = stage.network();
        boolean inherits = network.supports(Capability.INHERITED_OPTIONS);
        TcpListener listener = network.listen(Stage.FREE_PORT, 4, !inherits ? ListenOptions.none() : ListenOptions.none()
                .with(StandardSocketOptions.SO_KEEPALIVE, true).with(TcpOptions.USER_TIMEOUT_MILLIS, 60_000));
        Story story = stage.story((connection, message) -> {
            assertThat(connection.getOption(StandardSocketOptions.SO_KEEPALIVE)).isFalse();
            if (inherits) {
                assertThat(connection.getOption(TcpOptions.USER_TIMEOUT_MILLIS)).isZero();
            }
            connection.send("as expected");
        });
        Client client = stage.client(stage.open(stage.serverWithoutListener()
                .listen(listener, stage.listening(Protocol.of(Framing.lines(), story)))));
        client.send("x\n");
        client.expect("as expected\n");
    }

    private static void expectOptionsOfClients(Stage stage, Function<Handler, ServerBuilder> server) throws Exception {
        boolean isTunable = stage.network().supports(Capability.KEEP_ALIVE_OPTIONS);
        Story story = stage.story((connection, message) -> {
            assertThat(connection.getOption(StandardSocketOptions.TCP_NODELAY)).isTrue();
            assertThat(connection.getOption(StandardSocketOptions.SO_KEEPALIVE)).isTrue();
            if (isTunable) {
                assertThat(connection.getOption(TcpOptions.KEEP_ALIVE_IDLE_SECONDS)).isEqualTo(30);
                assertThat(connection.getOption(TcpOptions.KEEP_ALIVE_INTERVAL_SECONDS)).isEqualTo(7);
                assertThat(connection.getOption(TcpOptions.USER_TIMEOUT_MILLIS)).isEqualTo(60_000);
            }
            connection.send("as expected");
        });
        Client client = stage.client(stage.open(server.apply(story).framing(Framing.lines())
                .limits(Limits.defaults().withIdleTimeout(Duration.ofMinutes(1)))));
        client.send("x\n");
        client.expect("as expected\n");
    }
}
