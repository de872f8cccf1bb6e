import static java.nio.charset.StandardCharsets.UTF_8;

import io.trivet.nats.Relay;
import io.trivet.nats.RelayListener;
import io.trivet.nats.RelayOptions;
import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/**
 * A chat over several machines: each runs this server, and NATS carries the lines between them. Clients receive a notice when lines were lost.
 *
 *     nats-server &
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/RelayChat.java 8081 nats://127.0.0.1:4222 &
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/RelayChat.java 8082 nats://127.0.0.1:4222 &
 *     ./trivet connect localhost:8082
 */
public final class RelayChat implements Handler, RelayListener {
    private static final String ROOM = "room";

    private Relay relay;

    public static void main(String[] args) throws IOException, InterruptedException {
        RelayChat chat = new RelayChat();
        try (Server server = Server.builder().framing(Framing.lines()).handler(chat)
                .listen(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0]))).open();
                Relay relay = Relay.connect(server, RelayOptions.of(args[1]), chat)) {
            chat.relay = relay; // an opened server calls its handler only within turn
            System.out.println("chat on port " + server.address().getPort());
            while (!server.isClosed()) {
                server.turn(null);
            }
        }
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer line) {
        relay.join(connection, ROOM); // the first line of a client makes it a member
        relay.publish(ROOM, UTF_8.encode(connection.remoteAddress().getPort() + ": " + UTF_8.decode(line)));
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        relay.forget(connection);
    }

    @Override
    public void onGap(String topic, String from, long missed) {
        relay.publishHere(topic, UTF_8.encode(missed + " lines of another server were lost"));
    }
}
