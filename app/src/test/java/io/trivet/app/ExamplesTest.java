package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Network;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.select.Select;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checks the examples: they compile without warnings, and work with one another and with {@code trivet}. */
@EnabledOnOs(OS.LINUX)
final class ExamplesTest {
    private static final Path EXAMPLES = Path.of(System.getProperty("trivet.root"), "examples");
    private static final List<String> NATIVE = List.of("--enable-native-access=ALL-UNNAMED");

    /** More than all socket buffers on the way through a proxy hold. */
    private static final int FLOW_BYTES = 32 << 20;

    private static final String GREETING = "I think of a number from 1 to 100. You have 7 guesses.\n";

    @TempDir static Path classes;

    @BeforeAll
    static void compileWithoutWarnings() throws IOException {
        try (var files = Files.list(EXAMPLES)) {
            compile(files.filter(file -> file.toString().endsWith(".java")).toList(), classes);
        }
    }

    /** Compiles the sources; fails on any error or warning. */
    static void compile(List<Path> sources, Path target) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean compiled = compiler.getTask(messages, files, null,
                    List.of("-Xlint:all", "-Werror", "-cp", System.getProperty("java.class.path"), "-d", target.toString()), null,
                    files.getJavaFileObjectsFromPaths(sources)).call();
            assertThat(messages.toString()).isEmpty();
            assertThat(compiled).isTrue();
        }
    }

    private static Program example(String name, String... arguments) throws IOException {
        String classPath = classes + File.pathSeparator + System.getProperty("java.class.path");
        return Program.start(Program.javaCommand(NATIVE, classPath, name, arguments));
    }

    private static InetSocketAddress awaitPort(Program server) throws InterruptedException {
        server.awaitOut(" on port ");
        server.awaitOut("\n");
        String line = server.out().lines().filter(text -> text.contains(" on port ")).findFirst().orElseThrow();
        return new InetSocketAddress(InetAddress.getLoopbackAddress(),
                Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1)));
    }

    private static String[] target(InetSocketAddress server, String... more) {
        return java.util.stream.Stream.concat(java.util.stream.Stream.of("127.0.0.1", Integer.toString(server.getPort())),
                java.util.stream.Stream.of(more)).toArray(String[]::new);
    }

    @Test
    void theSimulatedNetworkFindsTheShoutersBugAndNoneOnceItIsFixed() throws Exception {
        try (Program shouter = example("SimulatedShouter"); Program fixed = example("SimulatedShouter", "--fixed")) {
            assertThat(shouter.exitCode()).isEqualTo(1);
            assertThat(shouter.out()).contains("instead of [ONE, TWO, THREE]; for its events: --seed ");
            assertThat(fixed.exitCode()).as("output: %s, errors: %s", fixed.out(), fixed.err()).isZero();
            assertThat(fixed.out()).contains("all replies are right");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "poll", "select", "nio"})
    void queueServerRepliesToTwoSocketClient(String engine) throws Exception {
        try (Program server = example("QueueServer", "127.0.0.1", "0", engine);
                Program client = example("TwoSocketClient", target(awaitPort(server), engine))) {
            assertThat(client.exitCode()).as("output: %s, errors: %s", client.out(), client.err()).isZero();
            for (String message : List.of("This is the message 0", "It will be sent 1", "in parts 2")) {
                assertThat(client.out().lines()).filteredOn(line -> line.endsWith(": sending \"" + message + "\"")).hasSize(2);
                assertThat(client.out().lines()).filteredOn(line -> line.endsWith(": received \"" + message + "\"")).hasSize(2);
            }
            server.awaitOut("end of input");
            assertThat(server.out().contains("urgent data is not watched")).isEqualTo(engine.equals("nio"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void addressServerRepliesWithTheAddressEvenAfterAHalfClose(String engine) throws Exception {
        try (Program server = example("AddressServer", "127.0.0.1", "0", engine);
                Socket client = PlainSocket.connect(awaitPort(server));
                Socket resetting = PlainSocket.connect(awaitPort(server))) {
            resetting.setSoLinger(true, 0);
            for (String message : List.of("hello", "m".repeat(1024))) {
                PlainSocket.send(client, message);
                String reply = message + PlainSocket.pythonAddress(client);
                assertThat(PlainSocket.receive(client, reply.length())).isEqualTo(reply);
            }
            PlainSocket.send(resetting, "x");
            PlainSocket.receive(resetting, 1);
            reset(resetting);
            server.awaitOut("reset");
            PlainSocket.send(client, "last");
            client.shutdownOutput();
            assertThat(PlainSocket.receiveAll(client)).isEqualTo("last" + PlainSocket.pythonAddress(client));
            server.awaitOut("select again");
        }
    }

    @SuppressWarnings("try") // closing sends the reset
    private static void reset(Socket socket) throws IOException {
        socket.close();
    }

    @Test
    void addressServerReportsUrgentData() throws Exception {
        try (Program server = example("AddressServer", "127.0.0.1", "0");
                TcpStream client = Network.system().connect(awaitPort(server))) {
            while (!client.finishConnect()) {
                Select.select(List.of(), List.of(client), List.of(), Duration.ofSeconds(20));
            }
            assertThat(client.sendUrgent((byte) '!')).isTrue();
            server.awaitOut(": urgent data \"!\"");
        }
    }

    @Test
    void addressServerRepliesToTrivetConnect() throws Exception {
        try (Program server = example("AddressServer", "127.0.0.1", "0");
                Program connect = Program.trivet("connect", "localhost:" + awaitPort(server).getPort(), "-s", "hello")) {
            assertThat(connect.exitCode()).isZero();
            assertThat(connect.out()).matches("hello\\('127\\.0\\.0\\.1', \\d+\\)");
        }
    }

    @Test
    void twoSocketClientWorksWithTrivetServe() throws Exception {
        try (RunningServer running = RunningServer.start(Network.system(),
                RunningServer.settings(ReplyOption.ECHO, FramingOption.RAW));
                Program client = example("TwoSocketClient", target(running.server.addresses().getFirst()))) {
            assertThat(client.exitCode()).as("output: %s, errors: %s", client.out(), client.err()).isZero();
            assertThat(client.out().lines()).filteredOn(line -> line.contains("closing socket")).hasSize(2);
        }
    }

    @Test
    void twoSocketClientFailsWhenTheServerCloses() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 2, InetAddress.getLoopbackAddress());
                Program client = example("TwoSocketClient",
                        target(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getLocalPort())));
                Socket first = server.accept();
                Socket second = server.accept()) {
            assertThat(PlainSocket.receive(first, 21) + PlainSocket.receive(second, 21))
                    .isEqualTo("This is the message 0".repeat(2));
            second.shutdownOutput();
            assertThat(client.exitCode()).isEqualTo(1);
            assertThat(client.out()).contains("the server closed");
        }
    }

    @Test
    void echoServerReturnsEachLine() throws Exception {
        try (Program server = example("Echo", "127.0.0.1", "0"); Socket client = PlainSocket.connect(awaitPort(server))) {
            PlainSocket.send(client, "one\r\ntw");
            assertThat(PlainSocket.receive(client, 4)).isEqualTo("one\n");
            PlainSocket.send(client, "o\n");
            client.shutdownOutput();
            assertThat(PlainSocket.receiveAll(client)).isEqualTo("two\n");
        }
    }

    @Test
    void lineSessionPlaysWithEachClientOnItsOwn() throws Exception {
        try (Program server = example("LineSession", "127.0.0.1", "0")) {
            InetSocketAddress address = awaitPort(server);
            try (Socket waiting = PlainSocket.connect(address);
                    Socket player = PlainSocket.connect(address);
                    Socket leaving = PlainSocket.connect(address)) {
                assertReceives(waiting, GREETING);
                assertReceives(player, GREETING);
                int low = 1;
                int high = 100;
                String reply = "";
                while (!reply.equals("Right!\n")) {
                    assertThat(low).as(reply).isLessThanOrEqualTo(high);
                    int guess = (low + high) / 2;
                    PlainSocket.send(player, guess + "\n");
                    reply = line(player);
                    low = reply.equals("More.\n") ? guess + 1 : low;
                    high = reply.equals("Less.\n") ? guess - 1 : high;
                }
                assertThat(PlainSocket.receiveAll(player)).isEmpty();
                PlainSocket.send(waiting, "one\n".repeat(7));
                assertThat(PlainSocket.receiveAll(waiting))
                        .matches("(That is no number\\.\n){7}No guesses are left\\. It was \\d+\\.\n");
                leaving.shutdownOutput();
                assertThat(PlainSocket.receiveAll(leaving)).isEqualTo(GREETING);
            }
        }
    }

    @Test
    void lineSessionEndsWithAPlayerThatIsTooSlow() throws Exception {
        try (Program server = example("LineSession", "127.0.0.1", "0", "50");
                Socket player = PlainSocket.connect(awaitPort(server))) {
            assertThat(PlainSocket.receiveAll(player)).startsWith(GREETING + "You took too long. It was ");
        }
    }

    private static String line(Socket socket) throws IOException {
        StringBuilder line = new StringBuilder();
        while (line.indexOf("\n") < 0) {
            String next = PlainSocket.receive(socket, 1);
            assertThat(next).as("the connection ended after %s", line).isNotEmpty();
            line.append(next);
        }
        return line.toString();
    }

    @Test
    void chatBroadcastsJoinsLinesAndLeaves() throws Exception {
        try (Program server = example("Chat", "127.0.0.1", "0"); Socket ada = PlainSocket.connect(awaitPort(server))) {
            assertReceives(ada, ada.getLocalPort() + " joined\n");
            try (Socket bob = PlainSocket.connect(awaitPort(server))) {
                for (Socket each : List.of(ada, bob)) {
                    assertReceives(each, bob.getLocalPort() + " joined\n");
                }
                PlainSocket.send(bob, "hello\n");
                for (Socket each : List.of(ada, bob)) {
                    assertReceives(each, bob.getLocalPort() + ": hello\n");
                }
                bob.shutdownOutput();
                assertReceives(ada, bob.getLocalPort() + " left: " + CloseReason.PEER_FINISHED.description() + "\n");
            }
        }
    }

    /** On several loops, the connection to the target may open before {@code connect} has returned. */
    @Test
    void proxyOpensOneConnectionPerClientOnSeveralLoops() throws Exception {
        int clients = 600;
        try (ServerSocket target = new ServerSocket(0, 1024, InetAddress.getLoopbackAddress());
                Program proxy = example("Proxy", "127.0.0.1", "0", "127.0.0.1", Integer.toString(target.getLocalPort()), "2")) {
            InetSocketAddress address = awaitPort(proxy);
            target.setSoTimeout(20_000);
            for (int i = 0; i < clients; i++) {
                try (Socket client = PlainSocket.connect(address); Socket accepted = target.accept()) {
                    PlainSocket.send(client, "hi");
                    assertThat(PlainSocket.receive(accepted, 2)).isEqualTo("hi");
                    accepted.shutdownOutput();
                    assertThat(client.getInputStream().read()).isNegative();
                    client.shutdownOutput();
                    assertThat(accepted.getInputStream().read()).isNegative();
                }
            }
            target.setSoTimeout(100);
            assertThatThrownBy(target::accept).as("one connection for each client").isInstanceOf(SocketTimeoutException.class);
        }
    }

    private static void assertReceives(Socket socket, String expected) throws IOException {
        assertThat(PlainSocket.receive(socket, expected.length())).isEqualTo(expected);
    }

    /** Without backpressure the queues would reach their cap, and the connections would be closed. */
    @Test
    void proxyPausesASenderThatIsFasterThanTheReceiver() throws Exception {
        try (TcpListener target = Network.system().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
                Program proxy = example("Proxy", proxyTo(target));
                TcpStream client = Network.system().connect(awaitPort(proxy));
                TcpStream server = accept(target)) {
            List<Flow> flows = List.of(new Flow(client, server, FLOW_BYTES), new Flow(server, client, FLOW_BYTES));
            Flow.writeUntilStuck(flows);
            assertThat(flows).allSatisfy(flow -> assertThat(flow.writtenBytes()).isBetween(1L, FLOW_BYTES - 1L));
            Flow.exchange(flows);
            client.shutdownOutput();
            assertThat(Flow.awaitRead(server)).as("the proxy forwards the half-close").isEqualTo(-1);
            Flow.exchange(List.of(new Flow(server, client, FLOW_BYTES))); // the other direction is still open
            server.shutdownOutput();
            assertThat(Flow.awaitRead(client)).isEqualTo(-1);
        }
    }

    @Test
    void proxyPassesOnAResetAndARefusedConnectAsAReset() throws Exception {
        Program proxy;
        try (TcpListener target = Network.system().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10)) {
            proxy = example("Proxy", proxyTo(target));
            Socket client = PlainSocket.connect(awaitPort(proxy));
            try (TcpStream server = accept(target)) {
                client.setSoLinger(true, 0);
                reset(client);
                assertThatThrownBy(() -> Flow.awaitRead(server)).isInstanceOf(IOException.class)
                        .hasMessageContaining("ECONNRESET");
            }
        }
        try (proxy) {
            InetSocketAddress address = awaitPort(proxy);
            assertThatThrownBy(() -> {
                try (Socket client = PlainSocket.connect(address)) { // the reset may even arrive before this returns
                    int _ = client.getInputStream().read();
                }
            }).isInstanceOf(SocketException.class).hasMessageContaining("reset");
        }
    }

    private static String[] proxyTo(TcpListener target) throws IOException {
        return new String[]{"127.0.0.1", "0", "127.0.0.1", Integer.toString(target.localAddress().getPort())};
    }

    private static TcpStream accept(TcpListener listener) throws IOException {
        while (true) {
            assertThat(Select.select(List.of(listener), List.of(), List.of(), Duration.ofSeconds(20)).isEmpty()).isFalse();
            TcpStream stream = listener.accept();
            if (stream != null) {
                return stream;
            }
        }
    }

    @Test
    void anExampleRunsFromItsSourceFile() throws Exception {
        List<String> command = Program.javaCommand(NATIVE, System.getProperty("java.class.path"),
                EXAMPLES.resolve("TwoSocketClient.java").toString());
        try (RunningServer running = RunningServer.start(Network.system(),
                RunningServer.settings(ReplyOption.ADDRESS, FramingOption.RAW))) {
            command.addAll(List.of(target(running.server.addresses().getFirst())));
            try (Program client = Program.start(command)) {
                assertThat(client.exitCode()).as("output: %s, errors: %s", client.out(), client.err()).isZero();
                assertThat(client.out()).containsPattern("received \"in parts 2\\('127\\.0\\.0\\.1', \\d+\\)\"");
            }
        }
    }
}
