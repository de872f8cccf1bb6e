package io.trivet.bench;

import com.hazelcast.config.Config;
import com.hazelcast.config.JoinConfig;
import com.hazelcast.config.NetworkConfig;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.EventBusOptions;
import io.vertx.core.eventbus.MessageProducer;
import io.vertx.core.net.NetServerOptions;
import io.vertx.core.net.NetSocket;
import io.vertx.core.parsetools.RecordParser;
import io.vertx.spi.cluster.hazelcast.ConfigUtil;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The same chat as {@link RelayPeer} on Vert.x with one event loop, its clustered event bus and Hazelcast. Each node has one consumer, which
 * writes each message to the members there.
 */
public final class VertxClusterPeer {
    private static final String TOPIC = "chat";

    private final Set<NetSocket> members = new LinkedHashSet<>();
    private final AtomicLong failures = new AtomicLong();
    private final MessageProducer<Buffer> publisher;

    private VertxClusterPeer(Vertx vertx) {
        publisher = vertx.eventBus().publisher(TOPIC);
    }

    /** Arguments: the port, and the ports of Hazelcast on all nodes, that of this node first. */
    static void main(String[] args) throws ExecutionException, InterruptedException {
        List<String> nodes = List.of(args).subList(1, args.length);
        Vertx vertx = Vertx.builder()
                .with(new VertxOptions().setPreferNativeTransport(true).setEventLoopPoolSize(1)
                        .setEventBusOptions(new EventBusOptions().setHost("127.0.0.1")))
                .withClusterManager(new HazelcastClusterManager(hazelcast(nodes)))
                .buildClustered().toCompletionStage().toCompletableFuture().get();
        VertxClusterPeer peer = new VertxClusterPeer(vertx);
        vertx.eventBus().<Buffer>consumer(TOPIC, message -> peer.members.forEach(member -> member.write(message.body())))
                .completion().toCompletionStage().toCompletableFuture().get();
        vertx.createNetServer(new NetServerOptions()
                .setHost("127.0.0.1")
                .setPort(Integer.parseInt(args[0]))
                .setTcpNoDelay(true)
                .setAcceptBacklog(4096))
                .connectHandler(peer::serve)
                .listen().toCompletionStage().toCompletableFuture().get();
        Probe.start(peer::answer);
    }

    private static Config hazelcast(List<String> ports) {
        Config config = ConfigUtil.loadConfig();
        config.setProperty("hazelcast.logging.type", "none").setProperty("hazelcast.phone.home.enabled", "false")
                .setProperty("hazelcast.wait.seconds.before.join", "1");
        NetworkConfig network = config.getNetworkConfig().setPort(Integer.parseInt(ports.getFirst())).setPortAutoIncrement(false);
        network.getInterfaces().setEnabled(true).addInterface("127.0.0.1");
        JoinConfig join = network.getJoin();
        join.getAutoDetectionConfig().setEnabled(false);
        join.getMulticastConfig().setEnabled(false);
        join.getTcpIpConfig().setEnabled(true);
        ports.forEach(port -> join.getTcpIpConfig().addMember("127.0.0.1:" + port));
        return config;
    }

    private void serve(NetSocket socket) {
        socket.closeHandler(_ -> members.remove(socket));
        RecordParser.newDelimited("\n", socket).handler(line -> {
            switch (line.getByte(0)) {
                case 'j' -> members.add(socket);
                case 'e' -> socket.write(framed(line));
                default -> publisher.write(framed(line)).onFailure(_ -> failures.incrementAndGet());
            }
        });
    }

    private static Buffer framed(Buffer line) {
        return Buffer.buffer(line.length() + 1).appendBuffer(line).appendByte((byte) '\n');
    }

    /** {@code reported} returns how many messages the event bus has reported as not sent, and 0 for servers, which it does not report. */
    private String answer(String[] words) {
        if (words[0].equals("reported")) {
            return failures.get() + " 0";
        }
        throw new IllegalArgumentException(String.join(" ", words));
    }
}
