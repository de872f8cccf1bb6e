package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Network;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.select.Select;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
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

/** The examples: they compile without a warning, and talk to one another, and to {@code trivet}. */
@EnabledOnOs(OS.LINUX)
final class ExamplesTest {
    private static final Path EXAMPLES = Path.of(System.getProperty("trivet.root"), "examples");
    private static final List<String> NATIVE = List.of("--enable-native-access=ALL-UNNAMED");

    /** More than the kernel's buffers hold on the way through a proxy. */
    private static final int FLOW_BYTES = 32 << 20;

    @TempDir static Path classes;

    @BeforeAll
    static void compileWithoutAWarning() throws IOException {
        try (var files = Files.list(EXAMPLES)) {
            compile(files.filter(file -> file.toString().endsWith(".java")).toList(), classes);
        }
    }

    /** Fails with what the compiler says, if it says anything. */
    static void compile(List<Path> sources, Path target) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean compiled = compiler.getTask(said, files, null,
                    List.of("-Xlint:all", "-Werror", "-cp", System.getProperty("java.class.path"), "-d", target.toString()), null,
                    files.getJavaFileObjectsFromPaths(sources)).call();
            assertThat(said.toString()).isEmpty();
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
    void theSimulatedNetworkFindsTheShoutersBugAndNothingOnceItIsMended() throws Exception {
        try (Program shouter = example("SimulatedShouter"); Program mended = example("SimulatedShouter", "--mended")) {
            assertThat(shouter.exitCode()).isEqualTo(1);
            assertThat(shouter.out()).contains("instead of [ONE, TWO, THREE]; to see how: --seed ");
            assertThat(mended.exitCode()).as("it said %s %s", mended.out(), mended.err()).isZero();
            assertThat(mended.out()).contains("all answers are right");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "poll", "select", "nio"})
    void theQueueServerAndTheTwoSocketClientHoldTheirConversation(String engine) throws Exception {
        try (Program server = example("QueueServer", "127.0.0.1", "0", engine);
                Program client = example("TwoSocketClient", target(awaitPort(server), engine))) {
            assertThat(client.exitCode()).as("it said %s %s", client.out(), client.err()).isZero();
            for (String message : List.of("This is the message 0", "It will be sent 1", "in parts 2")) {
                assertThat(client.out().lines()).filteredOn(line -> line.endsWith(": sending \"" + message + "\"")).hasSize(2);
                assertThat(client.out().lines()).filteredOn(line -> line.endsWith(": received \"" + message + "\"")).hasSize(2);
            }
            server.awaitOut("it has finished");
            assertThat(server.out().contains("the third list is not watched")).isEqualTo(engine.equals("nio"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void theAddressServerAnswersWithTheAddressAlsoAfterTheClientHasFinished(String engine) throws Exception {
        try (Program server = example("AddressServer", "127.0.0.1", "0", engine);
                Socket client = Wire.connect(awaitPort(server));
                Socket abrupt = Wire.connect(awaitPort(server))) {
            abrupt.setSoLinger(true, 0);
            for (String message : List.of("hello", "m".repeat(1024))) {
                Wire.say(client, message);
                String reply = message + Wire.python(client);
                assertThat(Wire.hear(client, reply.length())).isEqualTo(reply);
            }
            Wire.say(abrupt, "x");
            Wire.hear(abrupt, 1);
            reset(abrupt);
            server.awaitOut("reset");
            Wire.say(client, "last");
            client.shutdownOutput();
            assertThat(Wire.hearAll(client)).isEqualTo("last" + Wire.python(client));
            server.awaitOut("select again");
        }
    }

    @SuppressWarnings("try") // closing is the event
    private static void reset(Socket socket) throws IOException {
        socket.close();
    }

    @Test
    void theAddressServerSeesUrgentDataInTheThirdList() throws Exception {
        try (Program server = example("AddressServer", "127.0.0.1", "0");
                TcpStream client = Network.system().connect(awaitPort(server))) {
            while (!client.finishConnect()) {
                Select.select(List.of(), List.of(client), List.of(), Duration.ofSeconds(20));
            }
            assertThat(client.sendUrgent((byte) '!')).isTrue();
            server.awaitOut(" urgent data, data = !");
        }
    }

    @Test
    void theAddressServerTalksToTrivetConnect() throws Exception {
        try (Program server = example("AddressServer", "127.0.0.1", "0");
                Program connect = Program.trivet("connect", "localhost:" + awaitPort(server).getPort(), "-s", "hello")) {
            assertThat(connect.exitCode()).isZero();
            assertThat(connect.out()).matches("hello\\('127\\.0\\.0\\.1', \\d+\\)");
        }
    }

    @Test
    void theTwoSocketClientTalksToTrivetServe() throws Exception {
        try (Serving serving = Serving.on(Network.system(), Serving.settings(Reply.ECHO, Framing.RAW));
                Program client = example("TwoSocketClient", target(serving.server.address()))) {
            assertThat(client.exitCode()).as("it said %s %s", client.out(), client.err()).isZero();
            assertThat(client.out().lines()).filteredOn(line -> line.contains("closing socket")).hasSize(2);
        }
    }

    @Test
    void theTwoSocketClientNoticesAClosedServer() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 2, InetAddress.getLoopbackAddress());
                Program client = example("TwoSocketClient",
                        target(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getLocalPort())));
                Socket first = server.accept();
                Socket second = server.accept()) {
            assertThat(Wire.hear(first, 21) + Wire.hear(second, 21)).isEqualTo("This is the message 0".repeat(2));
            second.shutdownOutput();
            assertThat(client.exitCode()).isEqualTo(1);
            assertThat(client.out()).contains("the server has closed");
        }
    }

    @Test
    void theEchoServerSendsEachLineBack() throws Exception {
        try (Program server = example("Echo", "127.0.0.1", "0"); Socket client = Wire.connect(awaitPort(server))) {
            Wire.say(client, "one\r\ntw");
            assertThat(Wire.hear(client, 4)).isEqualTo("one\n");
            Wire.say(client, "o\n");
            client.shutdownOutput();
            assertThat(Wire.hearAll(client)).isEqualTo("two\n");
        }
    }

    @Test
    void theChatTellsEverybodyWhoComesWhatTheySayAndWhoGoes() throws Exception {
        try (Program server = example("Chat", "127.0.0.1", "0"); Socket ada = Wire.connect(awaitPort(server))) {
            assertHears(ada, ada.getLocalPort() + " has come\n");
            try (Socket bob = Wire.connect(awaitPort(server))) {
                for (Socket each : List.of(ada, bob)) {
                    assertHears(each, bob.getLocalPort() + " has come\n");
                }
                Wire.say(bob, "hello\n");
                for (Socket each : List.of(ada, bob)) {
                    assertHears(each, bob.getLocalPort() + " says: hello\n");
                }
                bob.shutdownOutput();
                assertHears(ada, bob.getLocalPort() + " has gone: the peer finished\n");
            }
        }
    }

    private static void assertHears(Socket socket, String expected) throws IOException {
        assertThat(Wire.hear(socket, expected.length())).isEqualTo(expected);
    }

    /** Were its queues not bounded by back-pressure, they would meet their cap, and the connections would be closed. */
    @Test
    void theProxyHoldsBackWhoeverSendsFasterThanTheOtherEndReads() throws Exception {
        try (TcpListener target = Network.system().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
                Program proxy = example("Proxy", proxyTo(target));
                TcpStream client = Network.system().connect(awaitPort(proxy));
                TcpStream server = accept(target)) {
            List<Flow> flows = List.of(new Flow(client, server, FLOW_BYTES), new Flow(server, client, FLOW_BYTES));
            Flow.writeUntilStuck(flows);
            assertThat(flows).allSatisfy(flow -> assertThat(flow.writtenBytes()).isBetween(1L, FLOW_BYTES - 1L));
            Flow.exchange(flows);
            client.shutdownOutput();
            assertThat(Flow.awaitRead(server)).as("the half-close is passed on").isEqualTo(-1);
            Flow.exchange(List.of(new Flow(server, client, FLOW_BYTES))); // and the other half is still open
            server.shutdownOutput();
            assertThat(Flow.awaitRead(client)).isEqualTo(-1);
        }
    }

    @Test
    void theProxyPassesOnAResetAndARefusal() throws Exception {
        Program proxy;
        try (TcpListener target = Network.system().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10)) {
            proxy = example("Proxy", proxyTo(target));
            Socket client = Wire.connect(awaitPort(proxy));
            try (TcpStream server = accept(target)) {
                client.setSoLinger(true, 0);
                reset(client);
                assertThat(Flow.awaitRead(server)).isEqualTo(-1);
            }
        }
        try (proxy; Socket client = Wire.connect(awaitPort(proxy))) {
            assertThat(client.getInputStream().read()).isEqualTo(-1);
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
    void anExampleRunsFromItsSourceAsItsCommentSays() throws Exception {
        List<String> command = Program.javaCommand(NATIVE, System.getProperty("java.class.path"),
                EXAMPLES.resolve("TwoSocketClient.java").toString());
        try (Serving serving = Serving.on(Network.system(), Serving.settings(Reply.ADDRESS, Framing.RAW))) {
            command.addAll(List.of(target(serving.server.address())));
            try (Program client = Program.start(command)) {
                assertThat(client.exitCode()).as("it said %s %s", client.out(), client.err()).isZero();
                assertThat(client.out()).containsPattern("received \"in parts 2\\('127\\.0\\.0\\.1', \\d+\\)\"");
            }
        }
    }
}
