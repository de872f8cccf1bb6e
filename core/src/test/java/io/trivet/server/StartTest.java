package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Engine;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Tools;
import io.trivet.net.Intercept;
import io.trivet.net.Network;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.UnavailableException;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Starting: either every loop can serve, or nothing is left. */
final class StartTest {
    private static final Handler ECHO = (connection, message) -> connection.send(message);

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void startedServerHasPreparedEveryLoop(Stage stage) throws Exception {
        AtomicInteger prepared = new AtomicInteger();
        Network network = preparing(stage.network(), () -> {
            prepared.incrementAndGet();
        });
        try (Server server = Server.builder().network(network).listen(Stage.FREE_PORT).handler(ECHO).loops(5).start()) {
            assertThat(prepared).hasValue(5);
            assertThat(server.network()).isSameAs(network);
        }
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void startFailsWithTheCauseIfALoopCannotBePrepared(Stage stage) throws Exception {
        AtomicInteger prepared = new AtomicInteger();
        Network network = preparing(stage.network(), () -> {
            if (prepared.incrementAndGet() == 3) {
                throw new IOException("as asked");
            }
        });
        ServerBuilder builder = Server.builder().network(network).handler(ECHO).listen(Stage.FREE_PORT).loops(4);
        try (LogLines log = new LogLines()) {
            assertThatThrownBy(builder::start).isExactlyInstanceOf(IOException.class).hasMessage("as asked");
            assertThat(log.lines()).isEmpty();
        }
        assertThat(prepared).hasValue(4);
        assertThat(Thread.getAllStackTraces().keySet()).extracting(Thread::getName)
                .noneMatch(name -> name.matches("trivet-loop-[0-3]"));
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void takenPortEndsThePreparedThreads(Stage stage) throws Exception {
        try (TcpListener other = stage.network().listen(Stage.FREE_PORT, 1)) {
            ServerBuilder builder = Server.builder().network(stage.network()).handler(ECHO).listen(other.localAddress()).loops(3);
            assertThatThrownBy(builder::start).isInstanceOf(IOException.class);
        }
        assertThat(Thread.getAllStackTraces().keySet()).extracting(Thread::getName)
                .noneMatch(name -> name.matches("trivet-loop-[0-2]"));
    }

    @Test
    void openFailsWithTheCauseIfTheLoopCannotBePrepared() {
        Network network = preparing(Engine.ALL.getFirst().opener().get(), () -> {
            throw new IOException("as asked");
        });
        ServerBuilder builder = Server.builder().network(network).handler(ECHO).listen(Stage.FREE_PORT);
        assertThatThrownBy(builder::open).isExactlyInstanceOf(IOException.class).hasMessage("as asked");
    }

    private interface Preparation {
        void run() throws IOException;
    }

    private static Network preparing(Network network, Preparation preparation) {
        return Intercept.method(Network.class, network, "proactor", _ -> {
            Proactor proactor = network.proactor();
            return Intercept.method(Proactor.class, proactor, "prepare", _ -> {
                preparation.run();
                proactor.prepare();
                return null;
            });
        });
    }

    // ---- too few rings, in another process

    /** A ring needs two descriptors, and so does an epoll. */
    @Test
    void missingDescriptorsAreNamed() throws Exception {
        List<String> command = new ArrayList<>(List.of(Tools.require("prlimit"), "--nofile=128:128"));
        command.addAll(Tools.java(ServeOnce.class, "auto", "100"));
        try (Tools.Peer child = Tools.start(command.toArray(String[]::new))) {
            assertThat(child.finish()).singleElement().asString().startsWith("failed: ").contains("EMFILE");
        }
    }

    /** With CAP_IPC_LOCK, memory is not limited. */
    @ParameterizedTest
    @ValueSource(strings = {"auto", "uring"})
    void lockedMemoryIsNamedIfItIsTooLittle(String engine) throws Exception {
        requireRing();
        List<String> command = new ArrayList<>(List.of(Tools.require("prlimit"), "--memlock=262144:262144"));
        if (Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0)) {
            command.addAll(List.of(Tools.require("setpriv"), "--inh-caps=-all", "--bounding-set=-ipc_lock"));
        }
        command.addAll(Tools.java(ServeOnce.class, engine, "40"));
        try (Tools.Peer child = Tools.start(command.toArray(String[]::new))) {
            String line = child.line();
            assumeTrue(!"uring".equals(line), "this kernel does not count a ring as locked memory");
            assertThat(line).contains("io_uring_setup: ENOMEM", "this process may lock 256 KiB", "ulimit -l");
            assertThat(line).startsWith(engine.equals("auto") ? "INFO using epoll" : "failed: io_uring_setup");
            assertThat(child.finish()).isEqualTo(engine.equals("auto") ? List.of("epoll", "echo") : List.of());
        }
    }

    @Test
    void hundredLoopsServe() throws IOException {
        try (Server server = Server.builder().listen(Stage.FREE_PORT).handler(ECHO).loops(100).start()) {
            for (int i = 0; i < 100; i++) {
                assertThat(ServeOnce.echo(server)).isEqualTo("echo");
            }
        }
    }

    private static void requireRing() {
        try {
            Network.named("uring");
        } catch (UnavailableException e) {
            assumeTrue(false, e.reason());
        }
    }

    /** Starts a server, and prints its log, its network, and what comes back. */
    static final class ServeOnce {
        private ServeOnce() {}

        public static void main(String[] args) throws IOException {
            try (LogLines log = new LogLines()) {
                ServerBuilder builder = Server.builder().listen(Stage.FREE_PORT).handler(ECHO).loops(Integer.parseInt(args[1]));
                if (!args[0].equals("auto")) {
                    builder.network(Network.named(args[0]));
                }
                try (Server server = builder.start()) {
                    log.lines().forEach(System.out::println);
                    System.out.println(server.network().name());
                    System.out.println(echo(server));
                } catch (IOException e) {
                    System.out.println("failed: " + e.getMessage());
                }
            }
        }

        static String echo(Server server) throws IOException {
            try (Socket client = new Socket(server.address().getAddress(), server.address().getPort())) {
                client.getOutputStream().write("echo".getBytes(java.nio.charset.StandardCharsets.UTF_8));
                return new String(client.getInputStream().readNBytes(4), java.nio.charset.StandardCharsets.UTF_8);
            }
        }
    }
}
