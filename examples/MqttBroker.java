import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * A small MQTT 3.1.1 broker: QoS 0 and 1, retained messages, wills, keep-alive, and sessions that outlive their connections, in
 * memory. User names and passwords are ignored. One loop serves all clients, so nothing needs a lock.
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/MqttBroker.java [HOST PORT]
 *     mosquitto_sub -t 'news/#' -v
 */
public final class MqttBroker implements Handler {
    private final MqttState state;
    private String clientId = "a client that has not introduced itself";
    private MqttSession session;
    /** What is published for the client if it goes away without a word. */
    private MqttMessage will;

    private MqttBroker(MqttState state) {
        this.state = state;
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        InetSocketAddress address = args.length < 2
                ? new InetSocketAddress("127.0.0.1", 1883)
                : new InetSocketAddress(args[0], Integer.parseInt(args[1]));
        try (Server server = server(address).start()) {
            System.out.println("mqtt on port " + server.address().getPort());
            server.join();
        }
    }

    /** Returns a server that is not started yet. A test can put it on a simulated network. */
    static ServerBuilder server(InetSocketAddress address) {
        MqttState state = new MqttState();
        return Server.builder()
                .listen(address)
                .framing(Framing.of(MqttPacket::decode))
                .overflow(Overflow.DISCONNECT) // reading goes on, because acknowledgements make room
                .limits(Limits.defaults().withFirstMessageTimeout(Duration.ofSeconds(10)).withLingerTimeout(Duration.ofSeconds(1))
                        .withQueueBytesMax(MqttSession.QUEUE_BYTES_MAX))
                .handlers(() -> new MqttBroker(state)); // one object per connection: its state is in fields
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer bytes) {
        try {
            MqttPacket packet = new MqttPacket(bytes);
            if ((packet.type == MqttPacket.CONNECT) != (session == null)) {
                throw new ProtocolException("the first packet, and no other, must be CONNECT");
            }
            switch (packet.type) {
                case MqttPacket.CONNECT -> connect(connection, packet);
                case MqttPacket.PUBLISH -> publish(connection, packet);
                case MqttPacket.PUBACK -> session.acknowledge(packet.id());
                case MqttPacket.SUBSCRIBE -> subscribe(connection, packet);
                case MqttPacket.UNSUBSCRIBE -> unsubscribe(connection, packet);
                case MqttPacket.PINGREQ -> connection.send(MqttPacket.small(MqttPacket.PINGRESP));
                case MqttPacket.DISCONNECT -> {
                    will = null;
                    connection.finish();
                }
                default -> throw new ProtocolException("no packet of type " + packet.type + " is expected");
            }
        } catch (ProtocolException e) {
            System.err.println(clientId + ": " + e.getMessage());
            connection.finish();
        } catch (BufferUnderflowException e) {
            System.err.println(clientId + ": a packet ends before its last field");
            connection.finish();
        }
    }

    private void connect(Connection connection, MqttPacket packet) throws ProtocolException {
        boolean isKnown = packet.text().equals("MQTT") && packet.number8() == 4;
        if (!isKnown) {
            refuse(connection, 1); // unacceptable protocol level
            return;
        }
        int flags = packet.number8();
        int willQos = flags >> 3 & 3;
        if ((flags & 1) != 0 || willQos == 3) {
            throw new ProtocolException("CONNECT has wrong flags: " + flags);
        }
        int keepAliveSeconds = packet.number16();
        String id = packet.text();
        boolean clean = (flags & 2) != 0;
        MqttMessage announced = (flags & 4) == 0 ? null
                : new MqttMessage(packet.topic(), packet.bytes(), Math.min(willQos, 1), (flags & 32) != 0);
        if (id.isEmpty() && !clean) {
            refuse(connection, 2); // identifier rejected
        } else if (!state.hasRoomFor(id)) {
            refuse(connection, 3); // server unavailable
        } else {
            clientId = id.isEmpty() ? UUID.randomUUID().toString() : id;
            will = announced;
            connection.limits(connection.limits().withReadIdleTimeout(Duration.ofMillis(1_500L * keepAliveSeconds))); // 0: none
            MqttSession previous = state.session(clientId);
            session = state.connect(clientId, connection, clean);
            connection.send(MqttPacket.small(MqttPacket.CONNACK, session == previous ? 1 : 0, 0));
            session.sendAgain();
        }
    }

    private static void refuse(Connection connection, int code) {
        connection.send(MqttPacket.small(MqttPacket.CONNACK, 0, code));
        connection.finish();
    }

    private void publish(Connection connection, MqttPacket packet) throws ProtocolException {
        int qos = packet.flags >> 1 & 3;
        if (qos > 1) {
            throw new ProtocolException("messages of QoS " + qos + " are not accepted");
        }
        String topic = packet.topic();
        int id = qos == 0 ? 0 : packet.id();
        state.publish(new MqttMessage(topic, packet.rest(), qos, (packet.flags & 1) != 0));
        if (qos == 1) {
            connection.send(MqttPacket.acknowledgement(MqttPacket.PUBACK, id));
        }
    }

    private void subscribe(Connection connection, MqttPacket packet) throws ProtocolException {
        int id = packet.id();
        Map<String, Integer> granted = new HashMap<>();
        ByteArrayOutputStream results = new ByteArrayOutputStream();
        do {
            String filter = packet.text();
            int requested = packet.number8();
            if (requested > 2) {
                throw new ProtocolException("there is no QoS " + requested);
            }
            int qos = Math.min(requested, 1);
            boolean accepted = session.subscribe(filter, qos);
            results.write(accepted ? qos : 0x80);
            if (accepted) {
                granted.put(filter, qos);
            }
        } while (packet.hasMore());
        connection.send(MqttPacket.acknowledgement(MqttPacket.SUBACK, id, results.toByteArray()));
        state.deliverRetained(granted, session);
    }

    private void unsubscribe(Connection connection, MqttPacket packet) throws ProtocolException {
        int id = packet.id();
        do {
            session.unsubscribe(packet.text());
        } while (packet.hasMore());
        connection.send(MqttPacket.acknowledgement(MqttPacket.UNSUBACK, id));
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        if (session != null) {
            long dropped = session.takeDropped();
            System.out.println(clientId + ": " + reason.description() + (dropped == 0 ? "" : "; dropped messages: " + dropped));
            state.disconnect(clientId, session, connection);
        }
        if (will != null) {
            state.publish(will);
        }
    }
}
