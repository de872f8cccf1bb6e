package io.trivet.sim;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.TcpStream;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a server logs on a simulated network is a part of its trace, and goes nowhere else. */
final class SimLoggerTest {
    private static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    private final List<String> logged = new ArrayList<>();
    /** Referenced, since a collected logger loses its handlers. */
    private final Logger logger = Logger.getLogger("io.trivet.server");
    private final Handler records = new Handler() {
        @Override
        public void publish(LogRecord line) {
            logged.add(line.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void listen() {
        logger.addHandler(records);
    }

    @AfterEach
    void leave() {
        logger.removeHandler(records);
    }

    @Test
    void theLogOfAServerIsSilent() throws IOException {
        runServerWhoseHandlerThrows(SimNetwork.of(1, FaultPlan.none()));
        assertThat(logged).isEmpty();
    }

    @Test
    void theTraceHasTheLogWithTheStackOfTheHandler() throws IOException {
        List<String> trace = new ArrayList<>();
        SimNetwork network = SimNetwork.of(1, FaultPlan.none());
        network.trace((nanos, event) -> trace.add(event));
        runServerWhoseHandlerThrows(network);

        assertThat(logged).isEmpty();
        assertThat(trace).filteredOn(event -> event.startsWith("log WARNING: a handler threw")).singleElement().asString()
                .contains("IllegalStateException: no such command");
        assertThat(trace).filteredOn(event -> event.startsWith("log     at ")).first().asString()
                .contains("SimLoggerTest.fail(SimLoggerTest.java:");
        assertThat(trace).filteredOn(event -> event.startsWith("log     at "))
                .noneMatch(event -> event.contains("trivet.server"));
        assertThat(trace).anyMatch(event -> event.startsWith("log DEBUG: "));
    }

    private static void runServerWhoseHandlerThrows(SimNetwork network) throws IOException {
        try (Server server = Server.builder().network(network).listen(FREE_PORT).onMessage((_, _) -> fail()).open()) {
            TcpStream client = network.host(InetAddress.ofLiteral("10.0.0.1")).connect(server.address());
            client.write(US_ASCII.encode("hello"));
            network.run(Duration.ofSeconds(1));
            client.close();
        }
    }

    private static void fail() {
        throw new IllegalStateException("no such command");
    }
}
