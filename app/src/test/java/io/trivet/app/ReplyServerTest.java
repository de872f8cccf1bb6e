package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.trivet.net.Capability;
import io.trivet.net.EngineStatus;
import io.trivet.net.Network;
import io.trivet.net.Proactor;
import io.trivet.net.TcpStream;
import io.trivet.select.Select;
import io.trivet.server.Limits;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The server's conversations, on every engine that works here; its limits, on one of them. */
@SuppressWarnings("try") // clients are closed by hand where that is the event
final class ReplyServerTest {
    private static final ServerSettings ADDRESS = Serving.settings(Reply.ADDRESS, Framing.RAW);
    private static final ServerSettings LINES = Serving.settings(Reply.ECHO, Framing.LINES);

    static Stream<String> engines() {
        return Network.engines().stream().filter(EngineStatus::available).map(EngineStatus::name);
    }

    @ParameterizedTest
    @MethodSource("engines")
    void answersEachMessageWithItselfAndTheAddressBehindIt(String engine) throws Exception {
        try (Serving serving = Serving.on(Network.named(engine), ADDRESS);
                Socket one = serving.client();
                Socket other = serving.client()) {
            for (String message : List.of("hello", "x", "This is the message 0", "m".repeat(1024))) {
                for (Socket client : List.of(one, other)) {
                    Wire.say(client, message);
                }
                for (Socket client : List.of(one, other)) {
                    String reply = message + Wire.python(client);
                    assertThat(Wire.hear(client, reply.length())).isEqualTo(reply);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void sendsTheRepliesOfAClientThatHasFinishedThenFinishesToo(String engine) throws Exception {
        try (Serving serving = Serving.on(Network.named(engine), ADDRESS); Socket client = serving.client()) {
            Wire.say(client, "last words");
            client.shutdownOutput();

            assertThat(Wire.hearAll(client)).isEqualTo("last words" + Wire.python(client));
            await().until(() -> serving.told().contains("gone " + Wire.name(client) + ": it finished"));
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void aResetEndsOneClientAndNobodyElse(String engine) throws Exception {
        try (Serving serving = Serving.on(Network.named(engine), ADDRESS);
                Socket steady = serving.client();
                Socket abrupt = serving.client()) {
            Wire.say(abrupt, "half a wo");
            Wire.hear(abrupt, 9);
            String name = Wire.name(abrupt);
            abrupt.setSoLinger(true, 0);
            abrupt.close();

            await().until(() -> serving.told().stream().anyMatch(line -> line.startsWith("gone " + name)));
            assertThat(serving.told()).anyMatch(line -> line.startsWith("gone " + name) && line.contains("reset"));
            Wire.say(steady, "still here");
            assertThat(Wire.hear(steady, 10)).isEqualTo("still here");
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void twoHundredClientsAtOnceAreAllAnswered(String engine) throws Exception {
        List<Socket> clients = new ArrayList<>();
        try (Serving serving = Serving.on(Network.named(engine), ADDRESS)) {
            for (int i = 0; i < 200; i++) {
                clients.add(serving.client());
            }
            for (int i = 0; i < 200; i++) {
                Wire.say(clients.get(i), "message " + i);
            }
            for (int i = 0; i < 200; i++) {
                String reply = "message " + i + Wire.python(clients.get(i));
                assertThat(Wire.hear(clients.get(i), reply.length())).isEqualTo(reply);
            }
        } finally {
            for (Socket client : clients) {
                client.close();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void drainingDeliversWhatWasAnsweredAndTakesNothingNew(String engine) throws Exception {
        try (Serving serving = Serving.on(Network.named(engine), ADDRESS); Socket client = serving.client()) {
            Wire.say(client, "before");
            await().until(() -> serving.told().stream().anyMatch(line -> line.startsWith("data")));
            int cutOff = serving.server.drain(Duration.ofSeconds(10));

            assertThat(cutOff).isZero();
            assertThat(Wire.hearAll(client)).isEqualTo("before" + Wire.python(client));
            assertThatThrownBy(serving::client).isInstanceOf(IOException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void urgentDataIsSeenBeforeTheBytesAroundItAreRead(String engine) throws Exception {
        Network network = Network.named(engine);
        if (!network.supports(Capability.URGENT_DATA)) {
            assertThatServerWorksWithoutThirdList(network);
            return;
        }
        try (Serving serving = Serving.on(network, ADDRESS); TcpStream client = network.connect(serving.server.address())) {
            while (!client.finishConnect()) {
                Select.select(List.of(), List.of(client), List.of(), Duration.ofSeconds(20));
            }
            assertThat(client.sendUrgent((byte) '!')).isTrue();
            String urgent = "urgent 127.0.0.1:" + client.localAddress().getPort() + " \"!\"";
            await().until(() -> serving.told().contains(urgent));
            assertThat(serving.told()).noneMatch(line -> line.startsWith("data"));
        }
    }

    private static void assertThatServerWorksWithoutThirdList(Network network) throws Exception {
        try (Serving serving = Serving.on(network, ADDRESS); Socket client = serving.client()) {
            client.sendUrgentData('!');
            Wire.say(client, "hello");
            String reply = "hello" + Wire.python(client);
            assertThat(Wire.hear(client, reply.length())).isEqualTo(reply);
        }
    }

    @Test
    void tellsAnIpv6AddressAsPythonDoes() throws Exception {
        try (Serving serving = Serving.on(Network.system(), "::1", ADDRESS); Socket client = serving.client()) {
            Wire.say(client, "hello");
            client.shutdownOutput();
            assertThat(Wire.hearAll(client)).isEqualTo("hello('::1', " + client.getLocalPort() + ", 0, 0)");
        }
    }

    @Test
    void linesEndTheirMessagesHoweverTheBytesArrive() throws Exception {
        try (Serving serving = Serving.on(Network.system(), Serving.settings(Reply.ADDRESS, Framing.LINES));
                Socket client = serving.client()) {
            String me = Wire.python(client);
            Wire.say(client, "one\ntwo\r\n\nth");
            String first = "one" + me + "\ntwo" + me + "\n" + me + "\n";
            assertThat(Wire.hear(client, first.length())).isEqualTo(first);
            Wire.say(client, "ree\nunfinished");
            client.shutdownOutput();
            assertThat(Wire.hearAll(client)).isEqualTo("three" + me + "\n");
            await().until(() -> serving.told().stream()
                    .anyMatch(line -> line.endsWith("it finished")));
        }
    }

    @Test
    void aLineMayBeAsLongAsTheLimitAndNotLonger() throws Exception {
        ServerSettings settings = Serving.settings(Reply.ECHO, Framing.LINES, Duration.ofSeconds(3), Overflow.PAUSE,
                Serving.limits(10, 10_000, 100, Duration.ZERO, Duration.ZERO));
        try (Serving serving = Serving.on(Network.system(), settings);
                Socket exact = serving.client();
                Socket tooLong = serving.client()) {
            Wire.say(exact, "x".repeat(100) + "\r");
            Wire.say(tooLong, "x".repeat(101));
            await().until(() -> serving.told()
                    .contains("gone " + Wire.name(tooLong) + ": its message is longer than 100B (--message-limit)"));
            Wire.say(exact, "\n");
            assertThat(Wire.hear(exact, 101)).isEqualTo("x".repeat(100) + "\n");
        }
    }

    @Test
    void aBroadcastReachesEveryClient() throws Exception {
        try (Serving serving = Serving.on(Network.system(), Serving.settings(Reply.BROADCAST, Framing.LINES));
                Socket speaker = serving.client();
                Socket listener = serving.client()) {
            await().until(() -> serving.told().stream().filter(line -> line.startsWith("connect")).count() == 2);
            Wire.say(speaker, "to all\n");
            assertThat(Wire.hear(listener, 7)).isEqualTo("to all\n");
            assertThat(Wire.hear(speaker, 7)).isEqualTo("to all\n");
        }
    }

    @Test
    void discardAnswersNothing() throws Exception {
        try (Serving serving = Serving.on(Network.system(), Serving.settings(Reply.DISCARD, Framing.RAW));
                Socket client = serving.client()) {
            Wire.say(client, "into the void");
            client.shutdownOutput();
            assertThat(Wire.hearAll(client)).isEmpty();
        }
    }

    @Test
    void aClientThatDoesNotReadIsNotReadFromUntilItDoes() throws Exception {
        int bytes = 16 << 20; // more than both sockets' buffers and the queue hold
        try (Serving serving = Serving.on(Network.system(), Serving.settings(Reply.ECHO, Framing.RAW));
                Socket client = serving.client(ReplyServerTest::withSmallBuffers)) {
            Thread writer = Thread.ofPlatform().start(() -> write(client, bytes));
            long heard;
            do {
                heard = heardReads(serving);
                writer.join(200);
            } while (heardReads(serving) != heard || heard == 0);
            assertThat(heard * 64 * 1024).as("bytes that were read from a client that reads nothing").isLessThan(bytes / 2);

            assertThat(client.getInputStream().readNBytes(bytes)).hasSize(bytes);
            writer.join();
        }
    }

    private static long heardReads(Serving serving) {
        return serving.told().stream().filter(line -> line.startsWith("data")).count();
    }

    private static Socket withSmallBuffers(Socket socket) {
        try {
            socket.setReceiveBufferSize(16 * 1024);
            return socket;
        } catch (SocketException e) {
            throw new AssertionError(e);
        }
    }

    private static void write(Socket socket, int bytes) {
        try {
            byte[] part = new byte[64 * 1024];
            for (int written = 0; written < bytes; written += part.length) {
                socket.getOutputStream().write(part);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aFullQueueDisconnectsItsClientAndNobodyElse() throws Exception {
        ServerSettings settings = Serving.settings(Reply.BROADCAST, Framing.LINES, Duration.ofSeconds(3), Overflow.DISCONNECT,
                Serving.limits(10, 100_000, 64 * 1024, Duration.ZERO, Duration.ZERO));
        try (Serving serving = Serving.on(Network.system(), settings);
                Socket speaker = serving.client();
                Socket deaf = serving.client(ReplyServerTest::withSmallBuffers)) {
            await().until(() -> serving.told().stream().filter(line -> line.startsWith("connect")).count() == 2);
            String line = "x".repeat(49_999) + "\n";
            String name = Wire.name(deaf);
            boolean gone = false;
            for (int i = 0; i < 1000 && !gone; i++) {
                Wire.say(speaker, line);
                assertThat(Wire.hear(speaker, line.length())).isEqualTo(line);
                gone = serving.told().stream().anyMatch(told -> told.startsWith("gone " + name + ": its queue is full"));
            }
            assertThat(gone).as("the client that does not read was disconnected").isTrue();
        }
    }

    @Test
    void theOldestLinesMakeRoomAndWhatRemainsIsWhole() throws Exception {
        ServerSettings settings = Serving.settings(Reply.ECHO, Framing.LINES, Duration.ofSeconds(3), Overflow.DROP_OLDEST,
                Serving.limits(10, 100_000, 64 * 1024, Duration.ZERO, Duration.ZERO));
        int count = 2000;
        try (Serving serving = Serving.on(Network.system(), settings);
                Socket client = serving.client(ReplyServerTest::withSmallBuffers)) {
            for (int i = 0; i < count; i++) {
                Wire.say(client, i + " " + "x".repeat(9_000) + "\n"); // 18 MB, of which the server holds 100 kB
            }
            Wire.say(client, "end\n");
            client.shutdownOutput();

            List<String> lines = Wire.hearAll(client).lines().toList();
            assertThat(lines.getLast()).isEqualTo("end");
            assertThat(lines).hasSizeBetween(12, count).first().isEqualTo("0 " + "x".repeat(9_000));
            List<Integer> numbers = lines.subList(0, lines.size() - 1).stream()
                    .peek(line -> assertThat(line).matches("\\d+ x{9000}"))
                    .map(line -> Integer.valueOf(line.substring(0, line.indexOf(' '))))
                    .toList();
            assertThat(numbers).isSorted().doesNotHaveDuplicates();
            int dropped = serving.told().stream()
                    .filter(line -> line.startsWith("dropped"))
                    .mapToInt(line -> Integer.parseInt(line.replaceAll("dropped \\S+ (\\d+) .*", "$1")))
                    .sum();
            assertThat(dropped).isEqualTo(count - numbers.size());
        }
    }

    @Test
    void aClientThatTakesNothingForTooLongIsDisconnected() throws Exception {
        ServerSettings settings = Serving.settings(Reply.ECHO, Framing.RAW, Duration.ofSeconds(3), Overflow.PAUSE,
                Serving.limits(10, 1 << 20, 64 * 1024, Duration.ZERO, Duration.ofMillis(200)));
        try (Serving serving = Serving.on(Network.system(), settings);
                Socket client = serving.client(ReplyServerTest::withSmallBuffers)) {
            String name = Wire.name(client);
            assertThatThrownBy(() -> {
                for (int i = 0; i < 10_000; i++) {
                    client.getOutputStream().write(new byte[64 * 1024]);
                }
            }).isInstanceOf(IOException.class);
            await().until(() -> serving.told().stream()
                    .anyMatch(line -> line.startsWith("gone " + name + ": it took nothing for 200ms")));
        }
    }

    @Test
    void anIdleClientIsDisconnectedAndABusyOneStays() throws Exception {
        ServerSettings settings = Serving.settings(Reply.ECHO, Framing.RAW, Duration.ofSeconds(3), Overflow.PAUSE,
                Serving.limits(10, 1 << 20, 64 * 1024, Duration.ofMillis(500), Duration.ZERO));
        try (Serving serving = Serving.on(Network.system(), settings);
                Socket idle = serving.client();
                Socket busy = serving.client()) {
            idle.setSoTimeout(20);
            boolean ended = false;
            for (int i = 0; i < 500 && !ended; i++) {
                Wire.say(busy, "tick");
                assertThat(Wire.hear(busy, 4)).isEqualTo("tick");
                try {
                    ended = idle.getInputStream().read() < 0;
                } catch (SocketTimeoutException e) {
                    // It is still connected.
                }
            }
            assertThat(ended).as("the idle client was disconnected").isTrue();
            String gone = "gone " + Wire.name(idle) + ": idle for 500ms (--idle-timeout)";
            await().until(() -> serving.told().contains(gone));
        }
    }

    @Test
    void clientsBeyondTheLimitWaitForAPlace() throws Exception {
        ServerSettings settings = Serving.settings(Reply.ECHO, Framing.RAW, Duration.ofSeconds(3), Overflow.PAUSE,
                Serving.limits(2, 1 << 20, 64 * 1024, Duration.ZERO, Duration.ZERO));
        try (Serving serving = Serving.on(Network.system(), settings);
                Socket first = serving.client();
                Socket second = serving.client();
                Socket third = serving.client()) {
            Wire.say(third, "third");
            Wire.say(second, "second");
            assertThat(Wire.hear(second, 6)).isEqualTo("second");
            assertThat(serving.told()).doesNotContain("connect " + Wire.name(third));
            first.close();
            assertThat(Wire.hear(third, 5)).isEqualTo("third");
        }
    }

    @Test
    void aRoundIsToldEvenWhenNothingHappens() throws Exception {
        ServerSettings settings = Serving.settings(Reply.ECHO, Framing.RAW, Duration.ofMillis(20), Overflow.PAUSE,
                Serving.limits(2, 1 << 20, 64 * 1024, Duration.ZERO, Duration.ZERO));
        try (Serving serving = Serving.on(Network.system(), settings)) {
            String round = "select again: 0 done; 0 clients";
            await().until(() -> serving.told().stream().filter(round::equals).count() > 2);
        }
    }

    @Test
    void bytesOfAPeerAreEscapedWhenTheyAreTold() throws Exception {
        try (Serving serving = Serving.on(Network.system(), LINES); Socket client = serving.client()) {
            Wire.say(client, "\u001b[2J\"\\\u0000\u00e4\n");
            await().until(() -> serving.told().contains(
                    "data " + Wire.name(client) + " 8 bytes \"\\x1b[2J\\x22\\x5c\\x00\\xe4\""));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aLoopThatCannotWaitFailsTheServer(int loops) throws Exception {
        ServerSettings settings = new ServerSettings(Reply.ECHO, Framing.RAW, Duration.ofSeconds(3), Overflow.PAUSE,
                Limits.defaults(),
                loops, 16, false);
        Network network = Network.system();
        Network lame = instead(Network.class, network, "proactor",
                () -> instead(Proactor.class, network.proactor(), "poll", () -> {
                    throw new IOException("as asked");
                }));
        Journal journal = new Journal(new PrintStream(OutputStream.nullOutputStream()), false);
        InetSocketAddress anywhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (ReplyServer server = ReplyServer.listen(lame, anywhere, settings, journal)) {
            assertThatThrownBy(server::run).isInstanceOf(IOException.class).hasMessage("as asked");
        }
    }

    /** An object that does one method otherwise. */
    private static <T> T instead(Class<T> type, T real, String name, Callable<?> call) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type}, (proxy, method, arguments) -> {
            try {
                return method.getName().equals(name) ? call.call() : method.invoke(real, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }));
    }
}
