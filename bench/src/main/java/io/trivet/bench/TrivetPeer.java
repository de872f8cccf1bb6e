package io.trivet.bench;

import io.trivet.net.EngineStatus;
import io.trivet.net.Network;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Messages;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import io.trivet.server.Session;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;

/** Trivet with one loop, on a given engine. */
public final class TrivetPeer {
    private TrivetPeer() {}

    /** Arguments: the port, the service, the engine, and {@code sessions} to echo with sessions; or {@code engines} to print which engines are available and why others are not. */
    static void main(String[] args) throws IOException, InterruptedException {
        if (args[0].equals("engines")) {
            for (EngineStatus engine : Network.engines()) {
                System.out.println(engine.name() + "\t" + engine.available() + "\t" + engine.remark());
            }
            return;
        }
        Service service = Service.named(args[1]);
        AtomicReference<Server> started = new AtomicReference<>();
        ServerBuilder builder = Server.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0])))
                .network(Network.named(args[2]))
                .framing(service == Service.ECHO || service == Service.BROADCAST ? Framing.raw() : Framing.lines());
        if (args.length > 3 && service == Service.ECHO) {
            builder.session(TrivetPeer::echo);
        } else {
            builder.handler(handler(service, started));
        }
        try (Server server = builder.start()) {
            started.set(server);
            Probe.start();
            server.join();
        }
    }

    private static void echo(Session session) throws IOException {
        for (ByteBuffer message = session.receive(); message != null; message = session.receive()) {
            session.send(message);
        }
    }

    private static Handler handler(Service service, AtomicReference<Server> server) {
        return switch (service) {
            case ECHO, FRAMED -> (connection, message) -> connection.send(message);
            case LINES -> {
                byte[] head = Service.replyHead();
                ByteBuffer reply = ByteBuffer.allocateDirect(64 * 1024 + head.length);
                yield (connection, message) -> connection.send(reply.clear().put(head).put(message).flip());
            }
            case STRINGS -> (connection, message) -> connection.send(Service.REPLY_HEAD + Messages.text(message));
            case BROADCAST -> (connection, message) -> server.get().broadcast(message);
        };
    }
}
