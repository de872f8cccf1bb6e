package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.ClosedSocketException;
import java.io.IOException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.concurrent.atomic.AtomicReference;

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
}
