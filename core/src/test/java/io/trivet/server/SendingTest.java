package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Capability;
import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** Sending: from which threads, in which order, and from which memory. */
final class SendingTest {
    private static final Handler SILENT = (connection, message) -> {};

    @EveryNetwork
    void stringsArraysAndBuffersCanBeSent(Stage stage) throws IOException {
        ByteBuffer direct = ByteBuffer.allocateDirect(8).put(Client.bytes("-direct-")).position(1).limit(7);
        ByteBuffer heap = ByteBuffer.wrap(Client.bytes("-heap-"), 1, 4);
        Server server = stage.open(stage.server((connection, message) -> {
            connection.send("plain");
            connection.send("für Ærøskøbing");
            connection.send(Client.bytes("array"));
            connection.send(direct);
            connection.send(heap);
            connection.send(message);
        }).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("echo\n");
        assertThat(client.line()).isEqualTo("plain");
        assertThat(new String(Client.bytes(client.line()), StandardCharsets.UTF_8)).isEqualTo("für Ærøskøbing");
        assertThat(client.line()).isEqualTo("array");
        assertThat(client.line()).isEqualTo("direct");
        assertThat(client.line()).isEqualTo("heap");
        assertThat(client.line()).isEqualTo("echo");
        assertThat(direct.position()).as("accepted completely").isEqualTo(7);
        assertThat(heap.position()).isEqualTo(5);
    }

    @EveryNetwork
    void longAndShortMessagesInOneCallbackKeepTheirOrder(Stage stage) throws Exception {
        Seeded.run(3, random -> {
            List<byte[]> sent = new ArrayList<>();
            Server server = stage.open(stage.server((connection, message) -> {
                for (int i = 0; i < 40; i++) {
                    byte[] bytes = ReferenceFraming.LINES.message(random, 1 << random.nextInt(18));
                    sent.add(bytes);
                    assertThat(connection.send(bytes)).isEqualTo(SendResult.QUEUED);
                    if (random.nextInt(3) == 0) {
                        sent.add(Client.bytes(Story.text(message)));
                        assertThat(connection.send(message.duplicate())).isEqualTo(SendResult.QUEUED);
                    }
                }
            }).framing(Framing.lines()).limits(Stage.ROOMY));
            Client client = stage.client(server);
            client.send("go\n");
            stage.until("replies are sent", () -> !sent.isEmpty());
            byte[] expected = ReferenceFraming.LINES.framed(sent);
            assertThat(client.receive(expected.length)).isEqualTo(expected);
            server.close();
        });
    }

    @EveryNetwork
    void messagesOfEachThreadKeepTheirOrder(Stage stage) throws Exception {
        Story story = stage.story((connection, message) -> connection.send(message));
        Server server = stage.start(stage.server(story).framing(Framing.lines()).limits(Stage.ROOMY));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        int threads = 4;
        int perThread = 2000;
        List<Thread> senders = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int thread = t;
            senders.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < perThread; i++) {
                    assertThat(connection.send(thread + " " + i)).isEqualTo(SendResult.QUEUED);
                }
            }));
        }
        int[] next = new int[threads + 1];
        for (int i = 0; i < perThread; i++) {
            client.send(threads + " " + i + "\n");
        }
        for (int i = 0; i < (threads + 1) * perThread; i++) {
            String[] words = client.line().split(" ", 2);
            int thread = Integer.parseInt(words[0]);
            assertThat(Integer.parseInt(words[1])).as("the next of thread %d", thread).isEqualTo(next[thread]++);
        }
        for (Thread sender : senders) {
            sender.join();
        }
        stage.until("the queue is empty", () -> connection.queue().bytes() == 0); // the client may receive the last bytes before the loop has counted them
    }

    @EveryNetwork
    void buffersCanBeReusedAtOnce(Stage stage) throws Exception {
        byte[] bytes = new byte[9];
        ByteBuffer own = ByteBuffer.wrap(bytes);
        Story story = stage.story((connection, message) -> {
            fill(bytes, 'h');
            connection.send(own.clear());
            fill(bytes, '?');
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()).limits(Stage.ROOMY));
        Client client = stage.client(server);
        client.send("\n");
        assertThat(client.line()).isEqualTo("hhhhhhhhh");

        Connection connection = story.connection(0);
        fill(bytes, 'o');
        connection.send(own.clear()); // outside of a callback, on the loop's thread
        fill(bytes, '?');
        Thread other = Thread.ofPlatform().start(() -> {
            fill(bytes, 't');
            connection.send(own.clear());
            fill(bytes, '?');
        });
        other.join();
        assertThat(client.line()).isEqualTo("ooooooooo");
        assertThat(client.line()).isEqualTo("ttttttttt");

        int stuck = stage.fillSocket(connection).length; // from now on everything is queued
        fill(bytes, 'w');
        connection.send(own.clear());
        fill(bytes, '?');
        client.receive(stuck + 1);
        assertThat(client.line()).isEqualTo("wwwwwwwww");
    }

    private static void fill(byte[] bytes, char c) {
        java.util.Arrays.fill(bytes, (byte) c);
    }

    @EveryNetwork
    void receivedMessageIsReadOnly(Stage stage) throws IOException {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Server server = stage.open(stage.server((connection, message) -> {
            assertThat(message.isReadOnly()).isTrue();
            assertThat(message.hasArray()).isFalse();
            try {
                message.put(message.position(), (byte) 'x');
            } catch (ReadOnlyBufferException e) {
                thrown.set(e);
            }
            connection.send(message);
        }).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("mine\n");
        assertThat(client.line()).isEqualTo("mine");
        assertThat(thrown.get()).isInstanceOf(ReadOnlyBufferException.class);
    }

    @EveryNetwork
    void partOfAMessageCanBeSentBack(Stage stage) throws IOException {
        Server server = stage.open(stage.server((connection, message) -> {
            message.get();
            message.limit(message.limit() - 1);
            connection.send(message);
            assertThat(message.hasRemaining()).isFalse();
            message.position(message.limit());
            connection.send(message); // nothing left: sends an empty message
        }).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("[inner]\n");
        assertThat(client.line()).isEqualTo("inner");
        assertThat(client.line()).isEmpty();
    }

    @EveryNetwork
    void messageStaysValidWhileItsHandlerRuns(Stage stage) throws IOException {
        List<String> seen = new ArrayList<>();
        AtomicReference<Connection> other = new AtomicReference<>();
        Story story = stage.story((connection, message) -> {
            switch (Story.text(message)) {
                case "other" -> other.set(connection);
                case "pause" -> {
                    connection.pauseReading();
                    connection.execute(connection::resumeReading);
                }
                default -> {
                    connection.finish();
                    for (int i = 0; i < 20; i++) {
                        other.get().send("x".repeat(900)); // which takes memory from the pool
                    }
                    seen.add(Story.text(message));
                }
            }
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client second = stage.client(server);
        second.send("other\n");
        stage.until("the other is known", () -> other.get() != null);
        Client first = stage.client(server);
        first.send("pause\nprecious\n");
        assertThat(first.restText()).isEmpty();
        assertThat(seen).containsExactly("precious");
        for (int i = 0; i < 20; i++) {
            assertThat(second.line()).isEqualTo("x".repeat(900));
        }
    }

    @EveryNetwork
    void pauseAndResumeInOneCallbackHaveNoEffect(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            connection.pauseReading();
            if (Story.text(message).equals("hold")) {
                connection.execute(connection::resumeReading);
            } else {
                connection.resumeReading();
            }
            connection.send(message);
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("hold\none\ntwo\n");
        assertThat(client.receiveText(13)).isEqualTo("hold\none\ntwo\n");
        client.send("three\n");
        assertThat(client.line()).isEqualTo("three");
        client.finish();
        assertThat(client.restText()).isEmpty();
    }

    @EveryNetwork
    void sendFirstOvertakesTheQueueAtTheNextMessageBoundary(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).framing(Framing.lines()).limits(Stage.ROOMY));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        byte[] partlySent = stage.fillSocket(connection); // a part of it has been sent
        connection.send("third");
        connection.sendFirst(ByteBuffer.wrap(Client.bytes("first")));
        connection.send("fourth");
        connection.sendFirst(ByteBuffer.wrap(Client.bytes("second")));
        assertThat(connection.queue().messages()).isEqualTo(5);
        assertThat(client.receive(partlySent.length)).isEqualTo(partlySent);
        assertThat(client.receiveText(1)).isEqualTo("\n");
        assertThat(client.line()).isEqualTo("first");
        assertThat(client.line()).isEqualTo("second");
        assertThat(client.line()).isEqualTo("third");
        assertThat(client.line()).isEqualTo("fourth");
    }

    /** Includes messages so short that all of them were passed to a ring at once. */
    @EveryNetwork
    void sendFirstOvertakesShortMessagesThatTheSocketDidNotAccept(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            for (int i = 0; i < 14; i++) {
                connection.send("x".repeat(999));
            }
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        for (boolean replies : new boolean[]{false, true}) {
            Client client = stage.client(server);
            stage.until("open", () -> story.size() == (replies ? 2 : 1));
            Connection connection = story.connection(replies ? 1 : 0);
            long before = server.stats().total().messagesOut();
            int sent = 0;
            while (connection.queue().messages() < 3) {
                if (replies) {
                    client.send("more\n");
                } else {
                    for (int i = 0; i < 14; i++) {
                        connection.send("x".repeat(999));
                    }
                }
                sent += 14;
                long expected = before + sent;
                stage.until("sent", () -> server.stats().total().messagesOut() >= expected);
                server.turn(Duration.ZERO);
                server.turn(Duration.ZERO);
            }
            int waiting = connection.queue().messages();
            connection.sendFirst(ByteBuffer.wrap(Client.bytes("first")));
            int overtaken = 0;
            while (client.line().length() == 999) {
                overtaken++;
            }
            assertThat(sent - overtaken).as("received after it, of %d queued", waiting).isGreaterThanOrEqualTo(waiting - 1);
            for (int i = overtaken; i < sent; i++) {
                assertThat(client.line()).hasSize(999);
            }
            stage.settle();
            assertThat(connection.queue().bytes()).isZero();
            assertThat(connection.queue().messages()).isZero();
            assertThat(server.stats().queueBytes()).isZero();
        }
    }

    @EveryNetwork
    void sendFirstOvertakesRepliesOfTheSameCallback(Stage stage) throws IOException {
        Server server = stage.open(stage.server((connection, message) -> {
            connection.send("b");
            connection.sendFirst(ByteBuffer.wrap(Client.bytes("a")));
            connection.send("c");
        }).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("\n");
        assertThat(client.receiveText(6)).isEqualTo("a\nb\nc\n");
    }

    @EveryNetwork
    void randomSendsArriveInTheDocumentedOrder(Stage stage) throws Exception {
        Seeded.run(3, random -> {
            Story story = stage.story(SILENT);
            Server server = stage.open(stage.server(story).framing(Framing.lengthPrefixed(4)).limits(Stage.ROOMY));
            Client client = stage.client(server);
            stage.until("open", () -> story.size() == 1);
            Connection connection = story.connection(0);
            stage.fillSocket(connection);
            List<byte[]> first = new ArrayList<>();
            List<byte[]> rest = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                byte[] message = new byte[random.nextInt(1 << random.nextInt(18))];
                random.nextBytes(message);
                boolean ahead = random.nextInt(3) == 0;
                ByteBuffer buffer = ByteBuffer.wrap(message);
                if (ahead) {
                    connection.sendFirst(buffer);
                    first.add(message);
                } else if (random.nextBoolean()) {
                    connection.send(buffer);
                    rest.add(message);
                } else {
                    server.broadcast(buffer);
                    rest.add(message);
                }
            }
            client.receive(4 + Stage.OVERSIZED_BYTES);
            first.addAll(rest);
            for (byte[] message : first) {
                assertThat(ByteBuffer.wrap(client.receive(4)).getInt()).isEqualTo(message.length);
                assertThat(client.receive(message.length)).isEqualTo(message);
            }
            assertThat(connection.queue().bytes()).isZero();
            server.close();
        });
    }

    @EveryNetwork
    void broadcastReachesEveryConnectionAndIsStoredOnce(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).framing(Framing.lines()).limits(Stage.ROOMY));
        Client one = stage.client(server);
        Client two = stage.client(server);
        Client quick = stage.client(server);
        stage.until("open", () -> story.size() == 3);
        List<Connection> stuck = List.of(story.connection(0), story.connection(1));
        for (Connection connection : stuck) {
            stage.fillSocket(connection);
        }
        byte[] content = FramedEchoTest.patterned(100_000);
        ByteBuffer message = ByteBuffer.wrap(content);
        server.broadcast(message);
        assertThat(message.hasRemaining()).isFalse();
        assertThat(quick.receive(content.length)).isEqualTo(content);
        assertThat(lastPart(stuck.get(0)).address()).as("the same memory").isEqualTo(lastPart(stuck.get(1)).address());
        for (Client client : List.of(one, two)) {
            client.receive(Stage.OVERSIZED_BYTES + 1);
            assertThat(client.receive(content.length)).isEqualTo(content);
            assertThat(client.receiveText(1)).isEqualTo("\n");
        }
    }

    private static MemorySegment lastPart(Connection connection) {
        ByteBuffer[] parts = new ByteBuffer[1024];
        int count = connection.sendQueue().parts(parts);
        return MemorySegment.ofBuffer(parts[count - 1]);
    }

    @EveryNetwork
    void broadcastFromAHandlerKeepsItsOrderAmongReplies(Stage stage) throws IOException {
        String longer = "c".repeat(70_000);
        Server server = stage.open(stage.server((connection, message) -> {
            connection.send("a");
            connection.server().broadcast(ByteBuffer.wrap(Client.bytes("b")));
            connection.send(longer);
            connection.send("d");
        }).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("\n");
        assertThat(client.line()).isEqualTo("a");
        assertThat(client.line()).isEqualTo("b");
        assertThat(client.line()).isEqualTo(longer);
        assertThat(client.line()).isEqualTo("d");
    }

    @EveryNetwork
    void messageToAnotherConnectionIsSentInTheSameTurn(Stage stage) throws IOException {
        List<Connection> connections = new ArrayList<>();
        Server server = stage.open(stage.server(new Handler() {
            @Override
            public void onOpen(Connection connection) {
                connections.add(connection);
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                for (Connection other : connections) {
                    other.send(message.duplicate());
                }
            }
        }).framing(Framing.lines()));
        Client one = stage.client(server);
        Client two = stage.client(server);
        stage.until("open", () -> connections.size() == 2);
        one.send("hello\n");
        assertThat(two.line()).isEqualTo("hello");
        assertThat(one.line()).isEqualTo("hello");
    }

    @EveryNetwork
    void sendAfterFinishReturnsClosed(Stage stage) throws Exception {
        List<SendResult> fromTheHandler = new ArrayList<>();
        Story story = stage.story((connection, message) -> {
            fromTheHandler.add(connection.send("last"));
            connection.finish();
            fromTheHandler.add(connection.send("late"));
            fromTheHandler.add(connection.offer(ByteBuffer.wrap(Client.bytes("late"))));
            fromTheHandler.add(connection.sendFirst(ByteBuffer.wrap(Client.bytes("late"))));
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("\n");
        assertThat(client.restText()).isEqualTo("last\n");
        client.close();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(fromTheHandler).containsExactly(SendResult.QUEUED, SendResult.CLOSED, SendResult.CLOSED, SendResult.CLOSED);
        assertThat(story.connection(0).send("late")).isEqualTo(SendResult.CLOSED);
        server.close();
        assertThat(story.connection(0).send("late")).isEqualTo(SendResult.CLOSED);
        List<SendResult> fromAnotherThread = new ArrayList<>();
        Thread thread = Thread.ofPlatform().start(() -> fromAnotherThread.add(story.connection(0).send("late")));
        thread.join();
        assertThat(fromAnotherThread).containsExactly(SendResult.CLOSED);
    }

    @EveryNetwork
    void messageTooLongForItsLengthPrefixIsRejectedAtOnce(Stage stage) throws IOException {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Server server = stage.open(stage.server((connection, message) -> {
            try {
                connection.send(new byte[256]);
            } catch (IllegalArgumentException e) {
                thrown.set(e);
            }
            assertThatThrownBy(() -> connection.send("x".repeat(256))).isInstanceOf(IllegalArgumentException.class);
            assertThat(connection.queue().bytes()).isZero();
            connection.send(message);
        }).framing(Framing.lengthPrefixed(1)));
        Client client = stage.client(server);
        client.send("\1x");
        assertThat(client.receiveText(2)).isEqualTo("\1x");
        assertThat(thrown.get()).hasMessageContaining("256").hasMessageContaining("255");
    }

    @EveryNetwork(plaintext = "TLS has no urgent data")
    void urgentByteIsDeliveredBeforeEarlierData(Stage stage) throws IOException {
        StringBuilder data = new StringBuilder();
        Story story = stage.story((connection, message) -> data.append(Story.text(message)));
        ServerBuilder builder = stage.server(story).urgent(true);
        if (!stage.network().supports(Capability.URGENT_DATA)) {
            assertThatThrownBy(builder::open).isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("epoll, poll and select");
            return;
        }
        Server server = stage.open(builder);
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.settle();
        client.send("abc");
        client.sendUrgent('!');
        client.send("def");
        stage.until("everything has arrived", () -> data.length() == 6 && story.count("urgent") == 1);
        assertThat(data.toString()).isEqualTo("abcdef");
        client.sendUrgent('?');
        stage.until("the second urgent byte", () -> story.count("urgent") == 2);
        assertThat(story.callbacks()).contains("urgent !", "urgent ?");
        client.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.PEER_FINISHED);
    }

    @EveryNetwork(plaintext = "TLS has no urgent data")
    void urgentByteIsSentBeforeLaterMessages(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).limits(Stage.ROOMY));
        Client client = stage.client(server);
        client.channel().inlineUrgent();
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        if (!stage.network().supports(Capability.URGENT_DATA)) {
            assertThatThrownBy(() -> connection.sendUrgent((byte) '!')).isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("cannot send urgent data");
            return;
        }
        connection.sendUrgent((byte) '!');
        connection.send("after");
        assertThat(client.receiveText(6)).isEqualTo("!after");
    }

    @EveryNetwork
    void emptyRawMessagesAreAcceptedAndSendNothing(Stage stage) throws Exception {
        Story story = stage.story((connection, message) -> {
            connection.send("");
            connection.send(message);
            connection.send(new byte[0]);
        });
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        assertThat(connection.send("")).isEqualTo(SendResult.QUEUED);
        stage.settle();
        connection.send("a");
        connection.sendFirst("");
        server.broadcast(ByteBuffer.allocate(0));
        connection.send("b");
        assertThat(client.receiveText(2)).isEqualTo("ab");
        assertThat(connection.send("")).isEqualTo(SendResult.QUEUED); // after a send that has filled the array of parts
        client.send("c");
        assertThat(client.receiveText(1)).isEqualTo("c");
        Thread other = Thread.ofPlatform().start(() -> connection.send(""));
        other.join();
        stage.until("the queue is empty", () -> connection.queue().messages() == 0);
        assertThat(story.count("close")).isZero();
    }
}
