import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Frame;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A small Redis for any Redis client: its protocol (RESP2), publish and subscribe; RespDatabase has the other commands. One loop
 * serves all clients, so the data needs no locks, as in Redis itself.
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
        Shared shared = new Shared(new RespDatabase(), new HashMap<>());
        try (Server server = Server.builder()
                .listen(address)
                .framing(Framing.of(RespServer::decode))
                .limits(Limits.defaults().withMessageBytesMax(REQUEST_BYTES_MAX))
                .handlers(() -> new RespServer(shared)) // one object per connection: its state is in fields
                .start()) {
            System.out.println("resp on port " + server.address().getPort());
            server.join();
        }
    }

    // ---- the protocol: a request is *COUNT\r\n, then COUNT times $LENGTH\r\nBYTES\r\n; or a line of words, typed by hand

    /** Finds the end of a request. A malformed request ends at its error, and words() throws the reason. */
    static void decode(ByteBuffer in, int from, int to, Frame frame) {
        int at = lineEnd(in, from, to);
        long count = at > 0 && in.get(from) == '*' ? number(in, from + 1, at) : 0;
        for (long i = 0; i < count && at > 0; i++) {
            int line = at;
            at = lineEnd(in, line, to);
            long length = at > 0 && in.get(line) == '$' ? number(in, line + 1, at) : -1;
            if (at > 0 && length < 0) {
                break;
            }
            frame.payloadAtLeast(at - from + length); // a request that is too long is refused before it arrives
            at = at > 0 && length <= to - at - 2 ? (int) (at + length + 2) : -1;
        }
        if (at > 0) {
            frame.message(from, at, at);
        }
    }

    /** Returns the index after the next line feed, or -1. */
    private static int lineEnd(ByteBuffer in, int from, int to) {
        for (int at = from; at < to; at++) {
            if (in.get(at) == '\n') {
                return at + 1;
            }
        }
        return -1;
    }

    /** Returns the number between an index and the \r\n that ends the line, or -1. */
    private static long number(ByteBuffer in, int from, int end) {
        long value = end - 2 > from && end - 2 - from < 10 ? 0 : -1;
        for (int at = from; at < end - 2 && value >= 0; at++) {
            int digit = in.get(at) - '0';
            value = digit < 0 || digit > 9 ? -1 : 10 * value + digit;
        }
        return value;
    }

    /** Splits a request into its words. A word is a string of Latin-1, which can hold any bytes. */
    private static List<String> words(ByteBuffer request) throws ProtocolException {
        int from = request.position();
        int to = request.limit();
        int at = lineEnd(request, from, to);
        if (request.get(from) != '*') {
            return List.of(text(request, from, at).trim().split(" +"));
        }
        long count = number(request, from + 1, at);
        if (count < 0) {
            throw new ProtocolException("invalid multibulk length");
        }
        List<String> words = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            int line = at;
            at = lineEnd(request, line, to);
            int length = (int) number(request, line + 1, at);
            if (request.get(line) != '$') {
                throw new ProtocolException("expected '$', got '" + (char) request.get(line) + "'");
            } else if (length < 0) {
                throw new ProtocolException("invalid bulk length");
            }
            words.add(text(request, at, at + length));
            at += length + 2;
        }
        return words;
    }

    private static String text(ByteBuffer in, int from, int to) {
        byte[] bytes = new byte[to - from];
        in.get(from, bytes);
        return new String(bytes, ISO_8859_1);
    }

    // ---- requests

    @Override
    public void onMessage(Connection connection, ByteBuffer request) {
        try {
            List<String> words = words(request);
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
