package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** The ten-line server, with each framing. */
final class FramedEchoTest {
    private static final Handler ECHO = (connection, message) -> connection.send(message);
    /** The maximum length of one receive on the engines that poll. */
    private static final int RECEIVE_BYTES = 64 * 1024;

    @EveryNetwork(unix = true)
    void linesAreEchoedAsLines(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("hello\nworld\n");
        assertThat(client.receiveText(12)).isEqualTo("hello\nworld\n");
        client.finish();
        assertThat(client.restText()).isEmpty();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("open", "message hello", "message world", "end", "close PEER_FINISHED");
    }

    @EveryNetwork
    void linesAreSentWithTheConfiguredEnding(Stage stage) throws IOException {
        Server server = stage.open(stage.server(ECHO).framing(Framing.lines("\r\n")));
        Client client = stage.client(server);
        client.send("a\nb\r\n\nc\r\n");
        assertThat(client.receiveText(11)).isEqualTo("a\r\nb\r\n\r\nc\r\n");
    }

    @EveryNetwork
    void lineFeedIsSentWhenBothLineEndingsAreReceived(Stage stage) throws IOException {
        Server server = stage.open(stage.server(ECHO).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("a\r\nb\n\r\n");
        assertThat(client.receiveText(5)).isEqualTo("a\nb\n\n");
    }

    @EveryNetwork(unix = true)
    void rawBytesAreEchoedUnchanged(Stage stage) throws Exception {
        Seeded.run(1, random -> {
            Server server = stage.open(stage.server(ECHO));
            byte[] sent = new byte[1_000_000];
            random.nextBytes(sent);
            assertThat(exchange(stage, stage.client(server), sent, sent.length, random)).isEqualTo(sent);
        });
    }

    @EveryNetwork
    void messageCanArriveByteByByte(Stage stage) throws IOException {
        for (ReferenceFraming frames : ReferenceFraming.ALL_BUT_RAW) {
            Story story = stage.story(ECHO);
            Client client = stage.client(stage.open(stage.server(story).framing(frames.framing())));
            byte[] framed = frames.framed(Client.bytes("slow"));
            for (byte b : framed) {
                client.send(new byte[]{b});
                stage.step();
            }
            assertThat(client.receive(framed.length)).as("%s", frames).isEqualTo(framed);
            assertThat(story.callbacks()).as("%s", frames).containsExactly("open", "message slow");
        }
    }

    @EveryNetwork
    void emptyMessagesAreDelivered(Stage stage) throws IOException {
        for (ReferenceFraming frames : ReferenceFraming.ALL_BUT_RAW) {
            Story story = stage.story(ECHO);
            Client client = stage.client(stage.open(stage.server(story).framing(frames.framing())));
            byte[] framed = frames.framed(List.of(new byte[0], new byte[0], new byte[0]));
            client.send(framed);
            assertThat(client.receive(framed.length)).as("%s", frames).isEqualTo(framed);
            assertThat(story.callbacks()).as("%s", frames).containsExactly("open", "message ", "message ", "message ");
        }
    }

    @EveryNetwork
    void messagesBeyondTheTurnLimitKeepTheirOrder(Stage stage) throws IOException {
        Server server = stage.open(stage.server(ECHO).framing(Framing.lines()));
        Client client = stage.client(server);
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 5 * Delivery.MESSAGES_PER_DELIVERY_MAX; i++) {
            lines.append(i).append('\n');
        }
        byte[] sent = Client.bytes(lines.toString());
        assertThat(exchange(stage, client, sent, sent.length, new Random(1))).isEqualTo(sent);
    }

    @EveryNetwork
    void messagesNearTheBufferSizeAreComplete(Stage stage) throws IOException {
        for (ReferenceFraming frames : List.of(ReferenceFraming.LINES, ReferenceFraming.ALL_BUT_RAW.get(2),
                ReferenceFraming.ALL_BUT_RAW.getLast())) {
            Server server = stage.open(stage.server(ECHO).framing(frames.framing())
                    .limits(Limits.defaults().withMessageBytesMax(4 * RECEIVE_BYTES)));
            Client client = stage.client(server);
            List<byte[]> messages = new ArrayList<>();
            for (int around : new int[]{512, 1024, RECEIVE_BYTES, 2 * RECEIVE_BYTES}) {
                for (int length = around - 6; length <= around + 2; length++) {
                    messages.add(patterned(length));
                }
            }
            byte[] sent = frames.framed(messages);
            assertThat(exchange(stage, client, sent, sent.length, new Random(2))).as("%s", frames).isEqualTo(sent);
            server.close();
        }
    }

    @EveryNetwork
    void messageOfExactlyTheLimitIsAccepted(Stage stage) throws IOException {
        for (ReferenceFraming frames : ReferenceFraming.ALL_BUT_RAW) {
            Server server = stage.open(stage.server(ECHO).framing(frames.framing())
                    .limits(Limits.defaults().withMessageBytesMax(200)));
            Client client = stage.client(server);
            byte[] framed = frames.framed(patterned(200));
            for (int cut = framed.length - 5; cut < framed.length; cut += 2) { // also while the end of the message is still missing
                client.send(Arrays.copyOf(framed, cut));
                stage.settle();
                client.send(Arrays.copyOfRange(framed, cut, framed.length));
                assertThat(client.receive(framed.length)).as("%s, cut at %d", frames, cut).isEqualTo(framed);
            }
            server.close();
        }
    }

    @EveryNetwork
    void lineOfExactlyTheLimitIsAcceptedWhileItsLineFeedIsMissing(Stage stage) throws IOException {
        Server server = stage.open(stage.server(ECHO).framing(Framing.lines()).limits(Limits.defaults().withMessageBytesMax(5)));
        Client client = stage.client(server);
        client.send("12345\r");
        stage.settle();
        client.send("\n");
        assertThat(client.receiveText(6)).isEqualTo("12345\n");
    }

    @EveryNetwork(unix = true)
    void messageOneByteAboveTheLimitClosesTheConnection(Stage stage) throws IOException {
        for (ReferenceFraming frames : ReferenceFraming.ALL_BUT_RAW) {
            Story story = stage.story(ECHO);
            Server server = stage.open(stage.server(story).framing(frames.framing())
                    .limits(Limits.defaults().withMessageBytesMax(200)));
            Client client = stage.client(server);
            client.send(frames.framed(patterned(201)));
            assertThat(client.endsInOrder()).isTrue();
            client.finish();
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(story.callbacks()).as("%s", frames).containsExactly("open", "close MESSAGE_TOO_LONG");
            server.close();
        }
    }

    @EveryNetwork
    void messageIsTooLongBeforeItsEndArrives(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage
                .open(stage.server(story).framing(Framing.lines()).limits(Limits.defaults().withMessageBytesMax(200)));
        Client client = stage.client(server);
        client.send("x".repeat(201));
        client.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.MESSAGE_TOO_LONG);
    }

    @EveryNetwork
    void announcedLengthAboveTheLimitClosesAtOnceAndBelowItReservesNoMemory(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.lengthPrefixed(4))
                .limits(Limits.defaults().withMessageBytesMax(1 << 24)));
        Client client = stage.client(server);
        client.send(new byte[]{1, 0, 0, 0, 'x'});
        stage.until("it is held", () -> story.size() == 1 && story.connection(0).partialInput() != null
                && story.connection(0).partialInput().bytes() == 5);
        assertThat(story.connection(0).partialInput().buffer().capacity()).as("bytes kept for 5").isLessThanOrEqualTo(1024);
        assertThat(server.stats().queueBytes()).isEqualTo(story.connection(0).partialInput().heldBytes());

        Client aboveTheLimit = stage.client(server);
        aboveTheLimit.send(new byte[]{1, 0, 0, 1});
        aboveTheLimit.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.MESSAGE_TOO_LONG);

        Client negative = stage.client(server);
        negative.send(new byte[]{-1, -1, -1, -1});
        negative.finish();
        stage.until("closed", () -> story.count("close") == 2);
        assertThat(story.reasons()).containsOnly(CloseReason.MESSAGE_TOO_LONG);
    }

    @EveryNetwork
    void idleConnectionHoldsNoBuffer(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("half");
        stage.until("it is held", () -> story.size() == 1 && story.connection(0).partialInput() != null);
        client.send(" and half\n");
        assertThat(client.line()).isEqualTo("half and half");
        stage.settle();
        assertThat(story.connection(0).partialInput()).isNull();
        assertThat(story.connection(0).sendQueue()).isNull();
        assertThat(server.stats().queueBytes()).isZero();
    }

    @EveryNetwork(unix = true)
    void randomlySplitStreamsAreEchoedUnchanged(Stage stage) throws Exception {
        for (ReferenceFraming frames : ReferenceFraming.ALL_BUT_RAW) {
            Seeded.run(2, random -> {
                List<byte[]> received = new ArrayList<>();
                Server server = stage.open(stage.server((connection, message) -> {
                    byte[] bytes = new byte[message.remaining()];
                    message.get(message.position(), bytes);
                    received.add(bytes);
                    switch (random.nextInt(4)) {
                        case 0 -> connection.send(message);
                        case 1 -> connection.send(bytes);
                        case 2 -> connection.send(message.slice());
                        default -> connection.send(ByteBuffer.wrap(bytes));
                    }
                }).framing(frames.framing()).limits(Limits.defaults().withMessageBytesMax(200_000)));
                List<byte[]> messages = new ArrayList<>();
                for (int i = 0; i < 150; i++) {
                    messages.add(frames.message(random, 1 << random.nextInt(i % 50 == 49 ? 17 : 12)));
                }
                byte[] sent = frames.framed(messages);
                byte[] echoed = exchange(stage, stage.client(server), sent, sent.length, random);
                assertThat(echoed).as("%s", frames).isEqualTo(sent);
                assertThat(received).as("%s", frames).usingElementComparator(Arrays::compare).containsExactlyElementsOf(messages);
                server.close();
            });
        }
    }

    /** Sends in random pieces and receives in between; returns the received bytes. */
    private static byte[] exchange(Stage stage, Client client, byte[] sent, int expected, Random random) throws IOException {
        ByteArrayOutputStream echoed = new ByteArrayOutputStream();
        int[] at = {0};
        stage.until("everything has come back", () -> {
            if (at[0] < sent.length) {
                int piece = 1 + random.nextInt(1 << random.nextInt(18));
                at[0] += client.sendSome(Arrays.copyOf(sent, Math.min(sent.length, at[0] + piece)), at[0]);
            }
            if (random.nextInt(4) > 0) {
                echoed.writeBytes(client.available());
            }
            return echoed.size() >= expected;
        });
        return echoed.toByteArray();
    }

    static byte[] patterned(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) ('A' + i % 31);
        }
        return bytes;
    }

    @EveryNetwork
    void rawPiecesDoNotExceedTheMessageLimit(Stage stage) throws IOException {
        List<Integer> lengths = new ArrayList<>();
        Story story = stage.story((connection, message) -> {
            lengths.add(message.remaining());
            connection.send(message);
        });
        Server server = stage.open(stage.server(story)
                .limits(Limits.defaults().withMessageBytesMax(1000).withQueueMarks(500, 100).withQueueBytesMax(1500)));
        Client client = stage.client(server);
        byte[] bytes = patterned(20_000);
        client.send(bytes);
        assertThat(client.receive(bytes.length)).isEqualTo(bytes);
        assertThat(lengths).allMatch(length -> length <= 1000);
        assertThat(story.count("close")).isZero();
    }
}
