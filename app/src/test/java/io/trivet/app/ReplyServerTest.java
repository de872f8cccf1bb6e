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

/** {@link ReplyServer}: its replies on every engine available here, its limits on the default one. */
@SuppressWarnings("try") // some tests close clients themselves
final class ReplyServerTest {
    private static final ServerSettings ADDRESS = RunningServer.settings(ReplyOption.ADDRESS, FramingOption.RAW);
    private static final ServerSettings LINES = RunningServer.settings(ReplyOption.ECHO, FramingOption.LINES);

    static Stream<String> engines() {
        return Network.engines().stream().filter(EngineStatus::available).map(EngineStatus::name);
    }

    @ParameterizedTest
    @MethodSource("engines")
    void repliesWithTheMessageAndTheClientsAddress(String engine) throws Exception {
        try (RunningServer running = RunningServer.start(Network.named(engine), ADDRESS);
                Socket one = running.client();
                Socket other = running.client()) {
            for (String message : List.of("hello", "x", "This is the message 0", "m".repeat(1024))) {
                for (Socket client : List.of(one, other)) {
                    PlainSocket.send(client, message);
                }
                for (Socket client : List.of(one, other)) {
                    String reply = message + PlainSocket.pythonAddress(client);
                    assertThat(PlainSocket.receive(client, reply.length())).isEqualTo(reply);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void sendsPendingRepliesAfterAHalfCloseThenCloses(String engine) throws Exception {
        try (RunningServer running = RunningServer.start(Network.named(engine), ADDRESS); Socket client = running.client()) {
            PlainSocket.send(client, "last words");
            client.shutdownOutput();

            assertThat(PlainSocket.receiveAll(client)).isEqualTo("last words" + PlainSocket.pythonAddress(client));
            await().until(() -> running.log().contains("gone " + PlainSocket.name(client) + ": the client closed its side"));
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void aResetClosesOnlyItsOwnConnection(String engine) throws Exception {
        try (RunningServer running = RunningServer.start(Network.named(engine), ADDRESS);
                Socket steady = running.client();
                Socket abrupt = running.client()) {
            PlainSocket.send(abrupt, "half a wo");
            PlainSocket.receive(abrupt, 9);
            String name = PlainSocket.name(abrupt);
            abrupt.setSoLinger(true, 0);
            abrupt.close();

            await().until(() -> running.log().stream().anyMatch(line -> line.startsWith("gone " + name)));
            assertThat(running.log()).anyMatch(line -> line.startsWith("gone " + name) && line.contains("reset"));
            PlainSocket.send(steady, "still here");
            assertThat(PlainSocket.receive(steady, 10)).isEqualTo("still here");
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void answers200ClientsAtOnce(String engine) throws Exception {
        List<Socket> clients = new ArrayList<>();
        try (RunningServer running = RunningServer.start(Network.named(engine), ADDRESS)) {
            for (int i = 0; i < 200; i++) {
                clients.add(running.client());
            }
            for (int i = 0; i < 200; i++) {
                PlainSocket.send(clients.get(i), "message " + i);
            }
            for (int i = 0; i < 200; i++) {
                String reply = "message " + i + PlainSocket.pythonAddress(clients.get(i));
                assertThat(PlainSocket.receive(clients.get(i), reply.length())).isEqualTo(reply);
            }
        } finally {
            for (Socket client : clients) {
                client.close();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void drainingDeliversPendingRepliesAndRefusesNewClients(String engine) throws Exception {
        try (RunningServer running = RunningServer.start(Network.named(engine), ADDRESS); Socket client = running.client()) {
            PlainSocket.send(client, "before");
            await().until(() -> running.log().stream().anyMatch(line -> line.startsWith("data")));
            int cutOff = running.server.drain(Duration.ofSeconds(10));

            assertThat(cutOff).isZero();
            assertThat(PlainSocket.receiveAll(client)).isEqualTo("before" + PlainSocket.pythonAddress(client));
            assertThatThrownBy(running::client).isInstanceOf(IOException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void reportsUrgentDataBeforeTheOrdinaryBytes(String engine) throws Exception {
        Network network = Network.named(engine);
        if (!network.supports(Capability.URGENT_DATA)) {
            assertThatServerWorksWithoutUrgentData(network);
            return;
        }
        try (RunningServer running = RunningServer.start(network, ADDRESS);
                TcpStream client = network.connect(running.server.addresses().getFirst())) {
            while (!client.finishConnect()) {
                Select.select(List.of(), List.of(client), List.of(), Duration.ofSeconds(20));
            }
            assertThat(client.sendUrgent((byte) '!')).isTrue();
            String urgent = "urgent 127.0.0.1:" + client.localAddress().getPort() + " \"!\"";
            await().until(() -> running.log().contains(urgent));
            assertThat(running.log()).noneMatch(line -> line.startsWith("data"));
        }
    }

    private static void assertThatServerWorksWithoutUrgentData(Network network) throws Exception {
        try (RunningServer running = RunningServer.start(network, ADDRESS); Socket client = running.client()) {
            client.sendUrgentData('!');
            PlainSocket.send(client, "hello");
            String reply = "hello" + PlainSocket.pythonAddress(client);
            assertThat(PlainSocket.receive(client, reply.length())).isEqualTo(reply);
        }
    }

    @Test
    void formatsAnIpv6AddressAsPythonDoes() throws Exception {
        try (RunningServer running = RunningServer.start(Network.system(), "::1", ADDRESS); Socket client = running.client()) {
            PlainSocket.send(client, "hello");
            client.shutdownOutput();
            assertThat(PlainSocket.receiveAll(client)).isEqualTo("hello('::1', " + client.getLocalPort() + ", 0, 0)");
        }
    }

    @Test
    void splitsLinesHoweverTheBytesArrive() throws Exception {
        try (RunningServer running = RunningServer.start(Network.system(),
                RunningServer.settings(ReplyOption.ADDRESS, FramingOption.LINES));
                Socket client = running.client()) {
            String address = PlainSocket.pythonAddress(client);
            PlainSocket.send(client, "one\ntwo\r\n\nth");
            String first = "one" + address + "\ntwo" + address + "\n" + address + "\n";
            assertThat(PlainSocket.receive(client, first.length())).isEqualTo(first);
            PlainSocket.send(client, "ree\nunfinished");
            client.shutdownOutput();
            assertThat(PlainSocket.receiveAll(client)).isEqualTo("three" + address + "\n");
            await().until(() -> running.log().stream()
                    .anyMatch(line -> line.endsWith("the client closed its side")));
        }
    }

    @Test
    void acceptsALineOfExactlyTheLimitAndRejectsALongerOne() throws Exception {
        ServerSettings settings = RunningServer.settings(ReplyOption.ECHO, FramingOption.LINES, Duration.ofSeconds(3),
                OverflowOption.PAUSE,
                RunningServer.limits(10, 10_000, 100, Duration.ZERO, Duration.ZERO));
        try (RunningServer running = RunningServer.start(Network.system(), settings);
                Socket exact = running.client();
                Socket tooLong = running.client()) {
            PlainSocket.send(exact, "x".repeat(100) + "\r");
            PlainSocket.send(tooLong, "x".repeat(101));
            await().until(() -> running.log()
                    .contains("gone " + PlainSocket.name(tooLong) + ": its message is longer than 100B (--message-limit)"));
            PlainSocket.send(exact, "\n");
            assertThat(PlainSocket.receive(exact, 101)).isEqualTo("x".repeat(100) + "\n");
        }
    }

    @Test
    void broadcastsToEveryClient() throws Exception {
        try (RunningServer running = RunningServer.start(Network.system(),
                RunningServer.settings(ReplyOption.BROADCAST, FramingOption.LINES));
                Socket speaker = running.client();
                Socket listener = running.client()) {
            await().until(() -> running.log().stream().filter(line -> line.startsWith("connect")).count() == 2);
            PlainSocket.send(speaker, "to all\n");
            assertThat(PlainSocket.receive(listener, 7)).isEqualTo("to all\n");
            assertThat(PlainSocket.receive(speaker, 7)).isEqualTo("to all\n");
        }
    }

    @Test
    void discardSendsNoReply() throws Exception {
        try (RunningServer running = RunningServer.start(Network.system(),
                RunningServer.settings(ReplyOption.DISCARD, FramingOption.RAW));
                Socket client = running.client()) {
            PlainSocket.send(client, "into the void");
            client.shutdownOutput();
            assertThat(PlainSocket.receiveAll(client)).isEmpty();
        }
    }

    @Test
    void pausesReadingFromAClientThatDoesNotRead() throws Exception {
        int bytes = 16 << 20; // more than the socket buffers and the send queue hold
        try (RunningServer running = RunningServer.start(Network.system(),
                RunningServer.settings(ReplyOption.ECHO, FramingOption.RAW));
                Socket client = running.client(ReplyServerTest::withSmallBuffers)) {
            Thread writer = Thread.ofPlatform().start(() -> write(client, bytes));
            long reads;
            do {
                reads = readsLogged(running);
                writer.join(200);
            } while (readsLogged(running) != reads || reads == 0);
            assertThat(reads * 64 * 1024).as("bytes read from a client that does not read").isLessThan(bytes / 2);

            assertThat(client.getInputStream().readNBytes(bytes)).hasSize(bytes);
            writer.join();
        }
    }

    private static long readsLogged(RunningServer running) {
        return running.log().stream().filter(line -> line.startsWith("data")).count();
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
    void aFullQueueDisconnectsOnlyItsOwnClient() throws Exception {
        ServerSettings settings = RunningServer.settings(ReplyOption.BROADCAST, FramingOption.LINES, Duration.ofSeconds(3),
                OverflowOption.DISCONNECT,
                RunningServer.limits(10, 100_000, 64 * 1024, Duration.ZERO, Duration.ZERO));
        try (RunningServer running = RunningServer.start(Network.system(), settings);
                Socket speaker = running.client();
                Socket slow = running.client(ReplyServerTest::withSmallBuffers)) {
            await().until(() -> running.log().stream().filter(line -> line.startsWith("connect")).count() == 2);
            String line = "x".repeat(49_999) + "\n";
            String name = PlainSocket.name(slow);
            boolean closed = false;
            for (int i = 0; i < 1000 && !closed; i++) {
                PlainSocket.send(speaker, line);
                assertThat(PlainSocket.receive(speaker, line.length())).isEqualTo(line);
                closed = running.log().stream().anyMatch(entry -> entry.startsWith("gone " + name + ": its send queue is full"));
            }
            assertThat(closed).as("the client that does not read was disconnected").isTrue();
        }
    }

    @Test
    void dropsTheOldestLinesAndDeliversTheOthersWhole() throws Exception {
        ServerSettings settings = RunningServer.settings(ReplyOption.ECHO, FramingOption.LINES, Duration.ofSeconds(3),
                OverflowOption.DROP_OLDEST,
                RunningServer.limits(10, 100_000, 64 * 1024, Duration.ZERO, Duration.ZERO));
        int count = 2000;
        try (RunningServer running = RunningServer.start(Network.system(), settings);
                Socket client = running.client(ReplyServerTest::withSmallBuffers)) {
            for (int i = 0; i < count; i++) {
                PlainSocket.send(client, i + " " + "x".repeat(9_000) + "\n"); // 18 MB, of which the server holds 100 kB
            }
            PlainSocket.send(client, "end\n");
            client.shutdownOutput();

            List<String> lines = PlainSocket.receiveAll(client).lines().toList();
            assertThat(lines.getLast()).isEqualTo("end");
            assertThat(lines).hasSizeBetween(12, count).first().isEqualTo("0 " + "x".repeat(9_000));
            List<Integer> numbers = lines.subList(0, lines.size() - 1).stream()
                    .peek(line -> assertThat(line).matches("\\d+ x{9000}"))
                    .map(line -> Integer.valueOf(line.substring(0, line.indexOf(' '))))
                    .toList();
            assertThat(numbers).isSorted().doesNotHaveDuplicates();
            int dropped = running.log().stream()
                    .filter(line -> line.startsWith("dropped"))
                    .mapToInt(line -> Integer.parseInt(line.replaceAll("dropped \\S+ (\\d+) .*", "$1")))
                    .sum();
            assertThat(dropped).isEqualTo(count - numbers.size());
        }
    }

    @Test
    void disconnectsAClientThatAcceptsNoDataWithinTheWriteTimeout() throws Exception {
        ServerSettings settings = RunningServer.settings(ReplyOption.ECHO, FramingOption.RAW, Duration.ofSeconds(3),
                OverflowOption.PAUSE,
                RunningServer.limits(10, 1 << 20, 64 * 1024, Duration.ZERO, Duration.ofMillis(200)));
        try (RunningServer running = RunningServer.start(Network.system(), settings);
                Socket client = running.client(ReplyServerTest::withSmallBuffers)) {
            String name = PlainSocket.name(client);
            assertThatThrownBy(() -> {
                for (int i = 0; i < 10_000; i++) {
                    client.getOutputStream().write(new byte[64 * 1024]);
                }
            }).isInstanceOf(IOException.class);
            await().until(() -> running.log().stream()
                    .anyMatch(line -> line.startsWith("gone " + name + ": it accepted no data for 200ms")));
        }
    }

    @Test
    void disconnectsAnIdleClientAndKeepsABusyOne() throws Exception {
        ServerSettings settings = RunningServer.settings(ReplyOption.ECHO, FramingOption.RAW, Duration.ofSeconds(3),
                OverflowOption.PAUSE,
                RunningServer.limits(10, 1 << 20, 64 * 1024, Duration.ofMillis(500), Duration.ZERO));
        try (RunningServer running = RunningServer.start(Network.system(), settings);
                Socket idle = running.client();
                Socket busy = running.client()) {
            idle.setSoTimeout(20);
            boolean ended = false;
            for (int i = 0; i < 500 && !ended; i++) {
                PlainSocket.send(busy, "tick");
                assertThat(PlainSocket.receive(busy, 4)).isEqualTo("tick");
                try {
                    ended = idle.getInputStream().read() < 0;
                } catch (SocketTimeoutException e) {
                    // Still connected.
                }
            }
            assertThat(ended).as("the idle client was disconnected").isTrue();
            String expected = "gone " + PlainSocket.name(idle) + ": idle for 500ms (--idle-timeout)";
            await().until(() -> running.log().contains(expected));
        }
    }

    @Test
    void clientsAboveTheLimitWaitUntilAnotherLeaves() throws Exception {
        ServerSettings settings = RunningServer.settings(ReplyOption.ECHO, FramingOption.RAW, Duration.ofSeconds(3),
                OverflowOption.PAUSE,
                RunningServer.limits(2, 1 << 20, 64 * 1024, Duration.ZERO, Duration.ZERO));
        try (RunningServer running = RunningServer.start(Network.system(), settings);
                Socket first = running.client();
                Socket second = running.client();
                Socket third = running.client()) {
            PlainSocket.send(third, "third");
            PlainSocket.send(second, "second");
            assertThat(PlainSocket.receive(second, 6)).isEqualTo("second");
            assertThat(running.log()).doesNotContain("connect " + PlainSocket.name(third));
            first.close();
            assertThat(PlainSocket.receive(third, 5)).isEqualTo("third");
        }
    }

    @Test
    void logsTurnsWithoutEvents() throws Exception {
        ServerSettings settings = RunningServer.settings(ReplyOption.ECHO, FramingOption.RAW, Duration.ofMillis(20),
                OverflowOption.PAUSE,
                RunningServer.limits(2, 1 << 20, 64 * 1024, Duration.ZERO, Duration.ZERO));
        try (RunningServer running = RunningServer.start(Network.system(), settings)) {
            String line = "select again: 0 done; 0 clients";
            await().until(() -> running.log().stream().filter(line::equals).count() > 2);
        }
    }

    @Test
    void escapesReceivedBytesInTheLog() throws Exception {
        try (RunningServer running = RunningServer.start(Network.system(), LINES); Socket client = running.client()) {
            PlainSocket.send(client, "\u001b[2J\"\\\u0000\u00e4\n");
            await().until(() -> running.log().contains(
                    "data " + PlainSocket.name(client) + " 8 bytes \"\\x1b[2J\\x22\\x5c\\x00\\xe4\""));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void failsIfALoopCannotWait(int loops) throws Exception {
        ServerSettings settings = new ServerSettings(ReplyOption.ECHO, FramingOption.RAW, Duration.ofSeconds(3),
                OverflowOption.PAUSE,
                Limits.defaults(),
                loops, 16, false);
        Network network = Network.system();
        Network broken = replaceMethod(Network.class, network, "proactor",
                () -> replaceMethod(Proactor.class, network.proactor(), "poll", () -> {
                    throw new IOException("injected");
                }));
        VerboseLog log = new VerboseLog(new PrintStream(OutputStream.nullOutputStream()), false);
        InetSocketAddress anywhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (ReplyServer server = ReplyServer.listen(broken, List.of(anywhere), settings, log)) {
            assertThatThrownBy(server::run).isInstanceOf(IOException.class).hasMessage("injected");
        }
    }

    /** Returns a proxy that replaces one method and delegates the others. */
    private static <T> T replaceMethod(Class<T> type, T real, String name, Callable<?> call) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type}, (proxy, method, arguments) -> {
            try {
                return method.getName().equals(name) ? call.call() : method.invoke(real, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }));
    }
}
