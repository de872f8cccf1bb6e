import static java.nio.charset.StandardCharsets.UTF_8;

import io.trivet.net.Network;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;

/**
 * A chat room with three bugs, which docs/simulation.md finds. The first line of a client is its name: the room replies "welcome
 * NAME", or "taken" and ends the connection. Each further line goes to all members, as "NAME: LINE". To "/quit" the room replies
 * "bye", and ends the connection.
 */
class ChatRoom implements Handler {
    private static final class Member {
        private String name;
    }

    private final Map<String, Connection> members = new TreeMap<>();
    private final StringBuilder incomplete = new StringBuilder();

    static Server open(Network network, InetSocketAddress address) throws IOException {
        return Server.builder().network(network).listen(address).framing(Framing.raw()).handler(new ChatRoom()).open();
    }

    @Override
    public void onOpen(Connection connection) {
        connection.attachment(new Member());
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer bytes) {
        Member member = (Member) connection.attachment();
        StringBuilder text = incomplete.append(UTF_8.decode(bytes));
        for (int end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
            String line = text.substring(0, end);
            text.delete(0, end + 1);
            onLine(connection, member, line);
        }
    }

    private void onLine(Connection connection, Member member, String line) {
        if (member.name == null) {
            join(connection, member, line);
        } else if (line.equals("/quit")) {
            leave(connection, member);
            connection.send("bye\n");
            connection.execute(connection::close);
        } else {
            members.values().forEach(each -> each.send(member.name + ": " + line + "\n"));
        }
    }

    private void join(Connection connection, Member member, String name) {
        if (members.putIfAbsent(name, connection) == null) {
            member.name = name;
            connection.send("welcome " + name + "\n");
        } else {
            connection.send("taken\n");
            connection.finish();
        }
    }

    @Override
    public void onEndOfInput(Connection connection) {
        leave(connection, (Member) connection.attachment());
        connection.finish();
    }

    /** Releases the name of a member, unless another connection has it by now. */
    private void leave(Connection connection, Member member) {
        if (member.name != null) {
            members.remove(member.name, connection);
        }
    }
}
