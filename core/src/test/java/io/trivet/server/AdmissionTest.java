package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Capability;
import io.trivet.net.Completions;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.Proactor;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Accepting connections: limits, lack of descriptors, and ports in use. */
final class AdmissionTest {
    private static final Handler ECHO = (connection, message) -> connection.send(message);

    @EveryNetwork
    void connectionBeyondTheLimitWaitsUntilAnotherCloses(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            Story story = stage.story(ECHO);
            Server server = stage.open(stage.server(story).limits(Limits.defaults().withConnectionsMax(2)));
            Client first = stage.client(server);
            Client second = stage.client(server);
            stage.until("open", () -> story.size() == 2);
            Client third = stage.pendingClient(server);
            Client fourth = stage.pendingClient(server);
            third.sendWithoutWaiting("third");
            fourth.sendWithoutWaiting("fourth");
            stage.settle();
            assertThat(story.size()).isEqualTo(2);
            long completions = server.stats().total().completions();
            for (int i = 0; i < 50; i++) {
                assertThat(server.turn(Duration.ofMillis(1))).as("no work at the limit").isZero();
            }
            assertThat(server.stats().total().completions()).isEqualTo(completions);
            assertThat(log.lines("at the limit of 2 connections")).hasSize(1);

            first.close();
            assertThat(third.receiveText(5)).isEqualTo("third");
            stage.settle();
            assertThat(story.size()).isEqualTo(3);
            second.reset();
            assertThat(fourth.receiveText(6)).isEqualTo("fourth");
            assertThat(server.stats().total().accepted()).isEqualTo(4);
        }
    }

    @EveryNetwork
    void connectionLimitAppliesAcrossAllLoops(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.start(stage.server(story).loops(3).limits(Limits.defaults().withConnectionsMax(5)));
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            Client client = stage.pendingClient(server);
            client.sendWithoutWaiting("hello");
            clients.add(client);
        }
        for (Client client : clients) { // each is served once an earlier one has closed
            assertThat(client.receiveText(5)).isEqualTo("hello");
            assertThat(server.stats().total().connections()).isLessThanOrEqualTo(5);
            client.close();
        }
        stage.until("closed", () -> story.count("close") == 30);
    }

    @EveryNetwork
    void connectionBeyondThePerAddressLimitIsClosedAtOnceAndLogged(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            Story story = stage.story(ECHO);
            Server server = stage.open(stage.server(story).limits(Limits.defaults().withConnectionsPerAddressMax(2)));
            Client first = stage.client(server);
            stage.client(server);
            stage.until("open", () -> story.size() == 2);
            for (int i = 0; i < 3; i++) {
                assertThat(stage.pendingClient(server).endsInOrder() || story.size() == 2).isTrue();
            }
            assertThat(story.size()).as("no handler is called").isEqualTo(2);
            assertThat(log.lines("refused 127.0.0.1")).as("logged once, not once per client").hasSize(1);
            first.close();
            stage.until("closed", () -> story.count("close") == 1);
            Client next = stage.client(server);
            next.send("in");
            assertThat(next.receiveText(2)).isEqualTo("in");
        }
    }

    @EveryNetwork
    void startFailsOnAPortInUseEvenByAnotherTrivetServer(Stage stage) throws IOException {
        Server server = stage.start(stage.server(ECHO));
        InetSocketAddress taken = server.address();
        for (int loops : new int[]{1, 3}) {
            assertThatThrownBy(() -> Server.builder().network(stage.network()).listen(Stage.FREE_PORT).listen(taken).loops(loops)
                    .handler(ECHO).start()).isInstanceOf(IOException.class)
                    .hasMessageContaining(Integer.toString(taken.getPort()));
        }
        Client client = stage.client(server);
        client.send("mine");
        assertThat(client.receiveText(4)).isEqualTo("mine");
    }

    @EveryNetwork
    void serverListensOnSeveralAddresses(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).listen(Stage.FREE_PORT));
        assertThat(server.addresses()).hasSize(2).doesNotHaveDuplicates();
        assertThat(server.address()).isEqualTo(server.addresses().getFirst());
        for (InetSocketAddress address : server.addresses()) {
            Client client = stage.client(address);
            client.send("here");
            assertThat(client.receiveText(4)).isEqualTo("here");
        }
    }

    @EveryNetwork
    void acceptBacksOffLogsOnceAndResumesWhenDescriptorsRunOut(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            OutOfDescriptors network = new OutOfDescriptors(stage.network());
            Story story = stage.story(ECHO);
            Server server = stage.open(stage.server(network, story));
            assertThat(network.pipes).as("the reserve").hasSize(1);
            Client established = stage.client(server);
            stage.until("open", () -> story.size() == 1);

            network.exhausted = true;
            Client waiting = stage.pendingClient(server);
            waiting.sendWithoutWaiting("patience");
            stage.until("an accept fails", () -> server.stats().total().acceptFailures() == 1);
            assertThat(isOpen(network.pipes.getLast())).as("the reserve is released for others").isFalse();
            long backoffMillis = 10;
            for (int i = 0; i < 12; i++) {
                network.step(Duration.ofMillis(backoffMillis - 1));
                stage.settle();
                int attempts = network.attempts;
                established.send("x");
                assertThat(established.receiveText(1)).as("connected clients are not affected").isEqualTo("x");
                assertThat(network.attempts).as("before the back-off has passed").isEqualTo(attempts);
                network.step(Duration.ofMillis(1));
                stage.until("another attempt", () -> network.attempts == attempts + 1);
                backoffMillis = Math.min(1000, backoffMillis * 2);
            }
            assertThat(backoffMillis).isEqualTo(1000);
            assertThat(log.lines("accepting is paused")).hasSize(1);

            network.exhausted = false;
            network.step(Duration.ofSeconds(1));
            assertThat(waiting.receiveText(8)).isEqualTo("patience");
            assertThat(isOpen(network.pipes.getLast())).as("the reserve").isTrue();
            assertThat(log.lines("accepting again")).isEmpty();
            network.step(Duration.ofSeconds(1));
            stage.until("the recovery is logged", () -> log.lines("accepting again").size() == 1);
            server.close();
            assertThat(network.pipes).noneMatch(AdmissionTest::isOpen);
        }
    }

    private static boolean isOpen(Pipe pipe) {
        return pipe.source().isOpen() || pipe.sink().isOpen();
    }

    /** A network that can run out of descriptors, for accepted connections and for pipes. */
    private static final class OutOfDescriptors extends SteppedNetwork {
        final List<Pipe> pipes = new ArrayList<>();
        private final List<TcpStream> deferred = new ArrayList<>();
        boolean exhausted;
        /** The number of failed attempts to create a pipe. */
        int attempts;

        OutOfDescriptors(Network inner) {
            super(inner);
        }

        @Override
        public Pipe pipe() throws IOException {
            if (exhausted) {
                attempts++;
                throw emfile("pipe2");
            }
            Pipe pipe = super.pipe();
            pipes.add(pipe);
            return pipe;
        }

        /** Creates a proactor that fails accepts while descriptors are exhausted, and delivers these connections later. */
        @Override
        public Proactor proactor() throws IOException {
            Proactor delegate = super.proactor();
            return Interceptor.of(Proactor.class, delegate, "poll", arguments -> {
                Completions receiver = (Completions) arguments[0];
                int delivered = deferred.size();
                while (!exhausted && !deferred.isEmpty()) {
                    receiver.accepted(0, deferred.removeFirst());
                }
                delivered -= deferred.size();
                return delivered + delegate.poll(deferring(receiver), delivered > 0 ? 0 : (long) arguments[1]);
            });
        }

        private Completions deferring(Completions receiver) {
            return Interceptor.of(Completions.class, receiver, "accepted", arguments -> {
                if (exhausted) {
                    deferred.add((TcpStream) arguments[1]);
                    receiver.acceptFailed((long) arguments[0], emfile("accept4"));
                } else {
                    receiver.accepted((long) arguments[0], (TcpStream) arguments[1]);
                }
                return null;
            });
        }

        static NetworkException emfile(String call) {
            return new NetworkException(call, null, ErrorCode.EMFILE);
        }
    }

    @EveryNetwork
    void builderRejectsInvalidSettings(Stage stage) {
        assertThatThrownBy(() -> Server.builder().listen(Stage.FREE_PORT).open()).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("handler");
        assertThatThrownBy(() -> Server.builder().loops(2).handler(ECHO).open()).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> Server.builder().loops(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Server.builder().loops(128)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Server.builder().backlog(0)).isInstanceOf(IllegalArgumentException.class);
        if (!stage.network().supports(Capability.URGENT_DATA)) {
            assertThatThrownBy(() -> stage.server(ECHO).urgent(true).start()).isInstanceOf(UnsupportedOperationException.class);
        }
    }
}
