package io.trivet.bench;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetServerOptions;
import io.vertx.core.net.NetSocket;
import io.vertx.core.parsetools.RecordParser;
import java.util.LinkedHashSet;
import java.util.Set;

/** Vert.x on its native transport with one event loop, written like its examples: an echo is a pipe from a socket to itself. */
public final class VertxPeer {
    private VertxPeer() {}

    /** Arguments: the port and the service. */
    static void main(String[] args) {
        Service service = Service.named(args[1]);
        Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true).setEventLoopPoolSize(1));
        if (!vertx.isNativeTransportEnabled()) {
            throw new IllegalStateException("no native transport", vertx.unavailableNativeTransportCause());
        }
        Set<NetSocket> clients = new LinkedHashSet<>();
        vertx.createNetServer(new NetServerOptions()
                .setHost("127.0.0.1")
                .setPort(Integer.parseInt(args[0]))
                .setAcceptBacklog(4096))
                .connectHandler(socket -> {
                    switch (service) {
                        case ECHO -> socket.pipeTo(socket);
                        case LINES -> RecordParser.newDelimited("\n", socket)
                                .handler(line -> socket.write(Buffer.buffer(line.length() + 5)
                                        .appendString(Service.REPLY_HEAD).appendBuffer(line).appendByte((byte) '\n')));
                        case BROADCAST -> {
                            clients.add(socket);
                            socket.closeHandler(ignored -> clients.remove(socket));
                            socket.handler(message -> clients.forEach(client -> client.write(message)));
                        }
                        case FRAMED, STRINGS -> throw service.unsupported();
                    }
                })
                .listen()
                .onFailure(failure -> {
                    System.err.println("vertx: " + failure.getMessage());
                    vertx.close();
                });
        Probe.start();
    }
}
