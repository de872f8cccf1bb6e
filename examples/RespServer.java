import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A small Redis for any Redis client. RespRequest and RespReply are its protocol (RESP2), RespDatabase has the commands; publish and
 * subscribe are here. One loop serves all clients, so the data needs no locks, as in Redis itself.
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/RespServer.java [HOST PORT]
 *     redis-cli -p 6380
 */
public final class RespServer implements Handler {
    private static final int REQUEST_BYTES_MAX = 64 << 20;

    /** The data that all clients share. */
    private record Shared(RespDatabase database, Map<String, Set<Connection>> subscribers) {}

    private final Shared shared;
    private final RespReply reply = new RespReply();
    private final Set<String> channels = new LinkedHashSet<>();

    private RespServer(Shared shared) {
        this.shared = shared;
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        InetSocketAddress address = args.length < 2
                ? new InetSocketAddress("127.0.0.1", 6380)
                : new InetSocketAddress(args[0], Integer.parseInt(args[1]));
        try (Server server = server(address).start()) {
            System.out.println("resp on port " + server.address().getPort());
            server.join();
        }
    }

    /** Returns a server that is not started yet. A test can put it on a simulated network. */
    static ServerBuilder server(InetSocketAddress address) {
        Shared shared = new Shared(new RespDatabase(), new HashMap<>());
        return Server.builder()
                .listen(address)
                .framing(Framing.of(RespRequest::decode))
                .limits(Limits.defaults().withMessageBytesMax(REQUEST_BYTES_MAX))
                .handlers(() -> new RespServer(shared)); // one object per connection: its state is in fields
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer request) {
        try {
            List<String> words = RespRequest.words(request);
            if (!words.isEmpty() && !words.get(0).isEmpty()) {
                execute(connection, words.get(0).toUpperCase(Locale.ROOT), words);
                reply.sendTo(connection);
            }
        } catch (ProtocolException e) {
            reply.error("ERR Protocol error: " + e.getMessage());
            reply.sendTo(connection);
            connection.finish(); // sends the replies, then closes: what follows cannot be parsed
        }
    }

    private void execute(Connection connection, String name, List<String> words) {
        boolean subscribed = !channels.isEmpty();
        List<String> arguments = words.subList(1, words.size());
        if (name.equals("SUBSCRIBE") && !arguments.isEmpty()) {
            for (String channel : arguments) {
                channels.add(channel);
                shared.subscribers.computeIfAbsent(channel, any -> new LinkedHashSet<>()).add(connection);
                reply.array(3).bulk("subscribe").bulk(channel).number(channels.size());
            }
        } else if (name.equals("UNSUBSCRIBE")) {
            for (String channel : arguments.isEmpty() ? List.copyOf(channels) : arguments) {
                channels.remove(channel);
                leave(connection, channel);
                reply.array(3).bulk("unsubscribe").bulk(channel).number(channels.size());
            }
        } else if (name.equals("PING") && subscribed) {
            reply.array(2).bulk("pong").bulk(arguments.isEmpty() ? "" : arguments.get(0));
        } else if (name.equals("QUIT")) {
            reply.status("OK").sendTo(connection);
            connection.finish();
        } else if (subscribed) {
            reply.error("ERR Can't execute '" + name.toLowerCase(Locale.ROOT) + "': only (P|S)SUBSCRIBE / "
                    + "(P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context");
        } else if (name.equals("PUBLISH") && arguments.size() == 2) {
            publish(arguments.get(0), arguments.get(1));
        } else {
            shared.database.execute(name, words, reply);
        }
    }

    private void publish(String channel, String message) {
        Set<Connection> receivers = shared.subscribers.getOrDefault(channel, Set.of());
        byte[] push = reply.array(3).bulk("message").bulk(channel).bulk(message).take();
        receivers.forEach(receiver -> receiver.send(push)); // a receiver that does not read is closed when its queue is full
        reply.number(receivers.size());
    }

    private void leave(Connection connection, String channel) {
        shared.subscribers.computeIfPresent(channel,
                (any, members) -> members.remove(connection) && members.isEmpty() ? null : members);
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        channels.forEach(channel -> leave(connection, channel));
    }
}
