package io.trivet.app;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checks the example MqttBroker with Mosquitto's clients, and with packets that no real client sends. */
@EnabledOnOs(OS.LINUX)
final class MqttExampleTest {
    private static final List<String> NATIVE = List.of("--enable-native-access=ALL-UNNAMED");
    private static final int SUBSCRIBERS = 200;
    private static final int MESSAGES = 100;
    private static final int HOSTILE_CLIENTS = 500;
    private static final String ACCEPTED = " \2\0\0";
    private static final String PING = "\300\0";
    private static final String PONG = "\320\0";

    @TempDir static Path directory;
    private static Program broker;
    private static InetSocketAddress address;

    @BeforeAll
    static void startBroker() throws Exception {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("trivet.root"), "examples"))) {
            ExamplesTest.compile(files.filter(file -> file.getFileName().toString().startsWith("Mqtt")).toList(), directory);
        }
        String classPath = directory + File.pathSeparator + System.getProperty("java.class.path");
        broker = Program.start(Program.javaCommand(NATIVE, classPath, "MqttBroker", "127.0.0.1", "0"));
        broker.awaitOut("\n");
        String port = broker.out().lines().findFirst().orElseThrow().replaceFirst(".* ", "");
        address = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(port));
    }

    @AfterAll
    static void endBroker() throws Exception {
        broker.close();
    }

    // ---- Mosquitto's clients

    private static List<String> mosquitto(String program, String... arguments) {
        boolean isInstalled = Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
        assumeTrue(isInstalled, program + " is not installed");
        List<String> command = new ArrayList<>(
                List.of("stdbuf", "-oL", program, "-h", "127.0.0.1", "-p", Integer.toString(address.getPort())));
        command.addAll(List.of(arguments));
        return command;
    }

    private static void publish(String... arguments) throws Exception {
        try (Program publisher = Program.start(mosquitto("mosquitto_pub", arguments))) {
            assertThat(publisher.exitCode()).as("%s; the broker: %s", publisher.err(), broker.err()).isZero();
        }
    }

    /** Starts a subscriber that prints what it does, and each message as topic, retain flag and payload. */
    private static Program startSubscriber(String... arguments) throws IOException {
        List<String> command = mosquitto("mosquitto_sub", arguments);
        command.addAll(List.of("-d", "-F", "message %t %r %p"));
        return Program.start(command);
    }

    private static Program subscribe(String... arguments) throws Exception {
        Program subscriber = startSubscriber(arguments);
        subscriber.awaitOut("Subscribed");
        return subscriber;
    }

    private static List<String> messages(Program subscriber) throws InterruptedException {
        assertThat(subscriber.exitCode()).as(subscriber.out()).isZero();
        return subscriber.out().lines().filter(line -> line.startsWith("message "))
                .map(line -> line.substring("message ".length())).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1"})
    void publishesToSubscribers(String qos) throws Exception {
        String topic = "weather/" + qos;
        try (Program subscriber = subscribe("-t", topic, "-q", qos, "-C", "2")) {
            publish("-t", "weather", "-q", qos, "-m", "to someone else");
            publish("-t", topic, "-q", qos, "-m", "rain");
            publish("-t", topic, "-q", "0", "-m", "sun");
            assertThat(messages(subscriber)).containsExactly(topic + " 0 rain", topic + " 0 sun");
            assertThat(subscriber.out()).contains("received PUBLISH (d0, q" + qos + ", r0,");
        }
    }

    @Test
    void filtersSelectTopics() throws Exception {
        try (Program level = subscribe("-t", "house/+/light", "-C", "2");
                Program all = subscribe("-t", "house/#", "-C", "5");
                Program first = subscribe("-t", "+/cellar/#", "-C", "2");
                Program twice = subscribe("-t", "house/cellar", "-t", "house/#", "-t", "last", "-C", "6")) {
            for (String topic : List.of("house/attic/light", "house", "house//light", "house/cellar", "house/cellar/light/1",
                    "$house/cellar", "last")) {
                publish("-t", topic, "-m", "on");
            }
            assertThat(messages(level)).containsExactly("house/attic/light 0 on", "house//light 0 on");
            List<String> expected = List.of("house/attic/light 0 on", "house 0 on", "house//light 0 on", "house/cellar 0 on",
                    "house/cellar/light/1 0 on");
            assertThat(messages(all)).isEqualTo(expected);
            assertThat(messages(first)).containsExactly("house/cellar 0 on", "house/cellar/light/1 0 on");
            assertThat(messages(twice)).as("each message once").startsWith(expected.toArray(String[]::new)).endsWith("last 0 on");
        }
    }

    @Test
    void aRetainedMessageWaitsForSubscribersUntilItIsRemoved() throws Exception {
        publish("-t", "kept/one", "-r", "-m", "old");
        publish("-t", "kept/one", "-r", "-m", "new", "-q", "1");
        publish("-t", "kept/two", "-r", "-m", "removed");
        publish("-t", "kept/two", "-r", "-n");
        try (Program subscriber = subscribe("-t", "kept/#", "-q", "1", "-C", "2")) {
            publish("-t", "kept/one", "-r", "-m", "newer");
            assertThat(messages(subscriber)).containsExactly("kept/one 1 new", "kept/one 0 newer");
        }
    }

    @Test
    void theWillOfAKilledClientIsPublished() throws Exception {
        try (Program heir = subscribe("-t", "will/killed", "-C", "1");
                Program victim = subscribe("-t", "any", "--will-topic", "will/killed", "--will-payload", "gone")) {
            victim.signal("KILL");
            assertThat(messages(heir)).containsExactly("will/killed 0 gone");
        }
    }

    @Test
    void theWillOfAClientThatSaysGoodbyeIsNotPublished() throws Exception {
        try (Program heir = subscribe("-t", "will/#", "-t", "after", "-C", "1")) {
            publish("-t", "x", "-m", "x", "-i", "polite", "--will-topic", "will/polite", "--will-payload", "gone");
            broker.awaitOut("polite: finished");
            publish("-t", "after", "-m", "x");
            assertThat(messages(heir)).containsExactly("after 0 x");
        }
    }

    /** The keep-alive of this client is 5 seconds, the shortest that Mosquitto has. */
    @Test
    void aClientThatStopsSendingIsDisconnectedAfterItsKeepAlive() throws Exception {
        try (Program heir = subscribe("-t", "will/stopped", "-C", "1");
                Program alive = subscribe("-t", "to-the-living", "-k", "5", "-C", "1");
                Program stopped = subscribe("-t", "any", "-i", "stopped", "-k", "5", "--will-topic", "will/stopped",
                        "--will-payload", "gone")) {
            stopped.signal("STOP");
            assertThat(messages(heir)).containsExactly("will/stopped 0 gone");
            assertThat(broker.out()).contains("stopped: idle for too long");
            publish("-t", "to-the-living", "-m", "x");
            assertThat(messages(alive)).as("it has sent pings").containsExactly("to-the-living 0 x");
        }
    }

    @Test
    void aSessionKeepsWhatItsClientHasMissed() throws Exception {
        String[] client = {"-t", "missed", "-q", "1", "-i", "absent", "-c", "-C", "1"};
        try (Program first = subscribe(client)) {
            publish("-t", "missed", "-q", "1", "-m", "one");
            assertThat(messages(first)).containsExactly("missed 0 one");
            broker.awaitOut("absent: ");
        }
        publish("-t", "missed", "-q", "1", "-m", "two");
        publish("-t", "missed", "-q", "0", "-m", "not kept");
        try (Program second = startSubscriber(client)) {
            assertThat(messages(second)).containsExactly("missed 0 two");
        }
    }

    @Test
    void aStalledSubscriberDelaysNoneOfTwoHundred() throws Exception {
        Path flood = Files.writeString(directory.resolve("flood"), "x".repeat(60_000));
        List<Program> subscribers = new ArrayList<>();
        try (Program stalled = subscribe("-t", "#", "-q", "1", "-i", "stalled")) {
            for (int i = 1; i < SUBSCRIBERS; i++) {
                subscribers.add(startSubscriber("-t", "all", "-q", "1", "-C", Integer.toString(MESSAGES)));
            }
            for (Program subscriber : subscribers) {
                subscriber.awaitOut("Subscribed");
            }
            stalled.signal("STOP");
            publish("-t", "flood", "-f", flood.toString(), "--repeat", "600"); // more than queue and sockets hold
            List<String> numbers = IntStream.range(0, MESSAGES).mapToObj(Integer::toString).toList();
            try (Program publisher = Program.start(mosquitto("mosquitto_pub", "-t", "all", "-q", "1", "-l"))) {
                publisher.write(String.join("\n", numbers) + "\n");
                publisher.endInput();
                assertThat(publisher.exitCode()).isZero();
            }
            for (Program subscriber : subscribers) {
                assertThat(messages(subscriber)).isEqualTo(numbers.stream().map(number -> "all 0 " + number).toList());
            }
            broker.awaitOut("stalled: the peer accepted no data for too long");
        } finally {
            subscribers.forEach(Program::close);
        }
    }

    @Test
    void aSubscriberThatDoesNotAcknowledgeIsDisconnectedAndGetsTheLatestLater() throws Exception {
        try (Program late = subscribe("-t", "late", "-q", "1", "-i", "late", "-c");
                Program publisher = Program.start(mosquitto("mosquitto_pub", "-t", "late", "-q", "1", "-l"))) {
            late.signal("STOP");
            for (int i = 0; i < MESSAGES; i++) {
                publisher.write("x".repeat(50_000) + i + "\n");
            }
            publisher.endInput();
            assertThat(publisher.exitCode()).isZero();
            broker.awaitOut("late: closed by the application; dropped messages: ");
            late.signal("CONT");
            late.awaitOut("x" + (MESSAGES - 1) + "\n");
        }
    }

    // ---- packets that no real client sends

    private static String packet(int first, String... fields) {
        String content = String.join("", fields);
        assertThat(content).hasSizeLessThan(128);
        return "" + (char) first + (char) content.length() + content;
    }

    private static String text(String text) {
        return "" + (char) (text.length() >> 8) + (char) (text.length() & 255) + text;
    }

    /** Returns a CONNECT packet of a client that subscribes to nothing, whose will is its identifier. */
    private static String connect(String id, boolean clean) {
        return packet(0x10, text("MQTT"), "\4", clean ? "\6" : "\4", "\0\0", text(id), text("will/" + id), text(id));
    }

    @Test
    void theSecondConnectionOfAClientTakesItsSessionOver() throws Exception {
        try (Program heir = subscribe("-t", "will/twin", "-C", "1");
                Socket first = PlainSocket.connect(address);
                Socket second = PlainSocket.connect(address)) {
            PlainSocket.send(first, connect("twin", false) + packet(0x82, "\0\7", text("t"), "\1"));
            assertThat(PlainSocket.receive(first, 9)).isEqualTo(ACCEPTED + packet(0x90, "\0\7\1"));
            PlainSocket.send(second, connect("twin", false));
            assertThat(PlainSocket.receive(second, 4)).as("the session is present").isEqualTo(" \2\1\0");
            assertThat(PlainSocket.receiveAll(first)).isEmpty();
            assertThat(messages(heir)).containsExactly("will/twin 0 twin");
            publish("-t", "t", "-q", "1", "-m", "x");
            String delivery = text("t") + "\0\1x";
            assertThat(PlainSocket.receive(second, 8)).isEqualTo(packet(0x32, delivery));
            try (Socket third = PlainSocket.connect(address)) {
                PlainSocket.send(third, connect("twin", false));
                assertThat(PlainSocket.receive(third, 12)).as("again, because it was not acknowledged")
                        .isEqualTo(" \2\1\0" + packet(0x3a, delivery));
            }
        }
    }

    @Test
    void packetsMayArriveOneByteAtATime() throws Exception {
        try (Socket client = PlainSocket.connect(address)) {
            client.setTcpNoDelay(true);
            String publish = packet(0x32, text("cut"), "\0\5", "payload");
            String all = connect("cut", true) + packet(0x82, "\0\1", text("cut"), "\0") + publish
                    + packet(0xa2, "\0\2", text("cut"))
                    + publish + PING;
            for (int i = 0; i < all.length(); i++) {
                PlainSocket.send(client, all.substring(i, i + 1));
            }
            String expected = ACCEPTED + packet(0x90, "\0\1\0") + packet(0x30, text("cut"), "payload") + packet(0x40, "\0\5")
                    + packet(0xb0, "\0\2") + packet(0x40, "\0\5") + PONG;
            assertThat(PlainSocket.receive(client, expected.length())).isEqualTo(expected);
        }
    }

    @Test
    void aClientThatBreaksTheProtocolIsDisconnectedWithAReason() throws Exception {
        assertDisconnected("", PING, "must be CONNECT");
        assertDisconnected("", packet(0x10, text("MQTT"), "\4"), "ends before its last field");
        assertDisconnected("bad1", "\77\377\377\377\377", "");
        assertDisconnected("bad2", packet(0x30, text("a/+"), "x"), "bad2: a topic must not be empty");
        assertDisconnected("bad3", packet(0x30, text("\377"), "x"), "bad3: a text is not UTF-8");
        assertDisconnected("bad4", packet(0x34, text("t"), "\0\1", "x"), "bad4: messages of QoS 2 are not accepted");
        assertDisconnected("bad5", packet(0x80, "\0\1", text("t"), "\0"), "bad5: a packet of type 8 has wrong flags: 0");
        assertDisconnected("bad6", packet(0x82, "\0\0", text("t"), "\0"), "bad6: a packet identifier must not be 0");
        assertDisconnected("bad8", packet(0x82, "\0\1", text("t"), "\3"), "bad8: there is no QoS 3");
        assertDisconnected("bad9", packet(0x30, text("\33[2J"), "x"), "bad9: a text contains a control character");
        assertDisconnected("bad7", connect("bad7", true), "bad7: the first packet, and no other, must be CONNECT");
    }

    private static void assertDisconnected(String id, String packet, String reason) throws Exception {
        try (Socket client = PlainSocket.connect(address)) {
            PlainSocket.send(client, (id.isEmpty() ? "" : connect(id, true)) + packet + PING);
            assertThat(PlainSocket.receiveAll(client)).isEqualTo(id.isEmpty() ? "" : ACCEPTED);
        }
        broker.awaitErr(line -> line.contains(reason));
    }

    @Test
    void refusesWhatItDoesNotSpeak() throws Exception {
        for (String connect : List.of(packet(0x10, text("MQTT"), "\5\2\0\0", text("five")),
                packet(0x10, text("MQIsdp"), "\3\2\0\0", text("three")))) {
            try (Socket client = PlainSocket.connect(address)) {
                PlainSocket.send(client, connect);
                assertThat(PlainSocket.receiveAll(client)).as("unacceptable protocol level").isEqualTo(" \2\0\1");
            }
        }
        try (Socket client = PlainSocket.connect(address)) {
            PlainSocket.send(client, packet(0x10, text("MQTT"), "\4\0\0\0", text("")));
            assertThat(PlainSocket.receiveAll(client)).as("identifier rejected").isEqualTo(" \2\0\2");
        }
    }

    @Test
    void randomPacketsDisturbNoOtherClient() throws Exception {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        try (Socket other = PlainSocket.connect(address)) {
            PlainSocket.send(other, connect("other", true));
            assertThat(PlainSocket.receive(other, 4)).isEqualTo(ACCEPTED);
            for (int i = 0; i < HOSTILE_CLIENTS; i++) {
                byte[] packets = (connect("h" + i, random.nextBoolean()) + packet(0x82, "\0\1", text("h/#"), "\1")
                        + packet(0x33, text("h/1"), "\0\2", "x") + packet(0x40, "\0\1")).getBytes(ISO_8859_1);
                for (int changes = random.nextInt(4); changes >= 0; changes--) {
                    packets[random.nextInt(packets.length)] = (byte) random.nextInt(256);
                }
                sendAndLeave(packets, 1 + random.nextInt(packets.length));
                PlainSocket.send(other, PING);
                assertThat(PlainSocket.receive(other, 2)).as("seed %d, client %d", seed, i).isEqualTo(PONG);
            }
        }
        assertThat(broker.err()).as("seed %d", seed).noneMatch(line -> line.contains("a handler threw"));
    }

    /** Sends, and reads to the end. The broker may reset the connection. */
    private static void sendAndLeave(byte[] bytes, int count) throws IOException {
        try (Socket client = PlainSocket.connect(address)) {
            client.setSoTimeout((int) TimeUnit.SECONDS.toMillis(Program.TIMEOUT_SECONDS));
            client.getOutputStream().write(bytes, 0, count);
            client.shutdownOutput();
            client.getInputStream().readAllBytes();
        } catch (SocketException e) {
            assertThat(e).hasMessageMatching("(?i).*(reset|broken pipe).*");
        }
    }
}
