package io.trivet.bench;

import io.trivet.net.Network;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Trivet doing the same as {@link NettyPeer}: an echo of what arrived; and lines, with a reply that is composed. One loop. */
public final class TrivetPeer {
    /** What stands before each line in a composed reply. */
    static final String REPLY_HEAD = "ok: ";

    private TrivetPeer() {}

    /** Args: the port, the engine, and what is served: raw, echo-lines, lines (composed from bytes) or strings (composed from strings). */
    static void main(String[] args) throws IOException, InterruptedException {
        Handler handler = switch (args[2]) {
            case "raw", "echo-lines" -> (connection, message) -> connection.send(message);
            case "lines" -> {
                byte[] head = REPLY_HEAD.getBytes(StandardCharsets.US_ASCII);
                ByteBuffer reply = ByteBuffer.allocateDirect(64 * 1024);
                yield (connection, message) -> connection.send(reply.clear().put(head).put(message).flip());
            }
            case "strings" -> (connection, message) -> connection.send(REPLY_HEAD + StandardCharsets.UTF_8.decode(message));
            default -> throw new IllegalArgumentException("raw, echo-lines, lines or strings, not " + args[2]);
        };
        try (Server server = Server.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0])))
                .network(Network.named(args[1]))
                .framing(args[2].equals("raw") ? Framing.raw() : Framing.lines())
                .handler(handler)
                .start()) {
            server.join();
        }
    }
}
