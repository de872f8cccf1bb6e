package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Payloads that are received in parts, without being held. */
final class ReceivePartsTest {
    /** A line with a number is followed by that number of bytes, which are sent back as they come; "all" by all that follows. */
    private static final Handler BODIES = new Handler() {
        @Override
        public void onMessage(Connection connection, ByteBuffer line) {
            String text = Story.text(line);
            connection.receiveParts(text.equals("all") ? Long.MAX_VALUE : Long.parseLong(text));
            assertThatThrownBy(() -> connection.receiveParts(1)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> connection.receiveParts(-1)).isInstanceOf(IllegalArgumentException.class);
        }

        @Override
        public void onPart(Connection connection, ByteBuffer part, boolean last) {
            if (part.hasRemaining()) {
                connection.send(part);
            }
            if (last) {
                connection.send("|");
            }
        }
    };
    /** Lines in, and bytes as they are out. */
    private static final Framing LINES_IN = Framing.lines().withEncoder(new FrameEncoder() {
        @Override
        public int headLength(int messageBytes) {
            return 0;
        }

        @Override
        public void putHead(ByteBuffer out, int messageBytes) {}
    });

    @EveryNetwork
    void partsAndLinesAlternateWhereverTheStreamIsCut(Stage stage) throws Exception {
        Story story = stage.story(BODIES);
        Server server = stage.open(stage.server(story).framing(LINES_IN));
        String stream = "5\nhello3\na\nb0\n0\n1\nx\n";
        for (int cut = 1; cut < stream.length() - 1; cut++) {
            Client client = stage.client(server);
            client.send(stream.substring(0, cut));
            stage.settle();
            client.send(stream.substring(cut, stream.length() - 1));
            client.expect("hello|a\nb|||x|");
            client.finish();
            assertThat(client.restText()).isEmpty();
        }
    }

    @EveryNetwork
    void longBodyIsNotHeld(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            private long received;

            @Override
            public void onMessage(Connection connection, ByteBuffer line) {
                connection.receiveParts(Stage.OVERSIZED_BYTES);
            }

            @Override
            public void onPart(Connection connection, ByteBuffer part, boolean last) {
                received += part.remaining();
                assertThat(connection.partialInput()).isNull();
                assertThat(last).isEqualTo(received == Stage.OVERSIZED_BYTES);
                if (last) {
                    connection.send("done");
                }
            }
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("body\n");
        stage.until("parts are expected", () -> story.count("message") == 1); // bytes that arrive with a cut line are held with it
        client.send(FramedEchoTest.patterned(Stage.OVERSIZED_BYTES));
        client.expect("done\n");
        assertThat(story.count("message")).isEqualTo(1);
    }

    @EveryNetwork
    void pauseHoldsBetweenParts(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer line) {
                connection.receiveParts(Long.parseLong(Story.text(line)));
                connection.pauseReading();
            }

            @Override
            public void onPart(Connection connection, ByteBuffer part, boolean last) {
                connection.send(part);
            }
        });
        Server server = stage.open(stage.server(story).framing(LINES_IN));
        Client client = stage.client(server);
        client.send("3\nabc");
        stage.until("paused", () -> story.count("message") == 1);
        stage.settle();
        assertThat(client.available()).isEmpty();
        story.connection(0).resumeReading();
        client.expect("abc");
        client.send("0\n");
        stage.until("paused", () -> story.count("message") == 2);
        stage.settle();
        assertThat(story.callbacks()).endsWith("message 0");
        story.connection(0).resumeReading();
        stage.until("empty part", () -> story.callbacks().getLast().equals("last part "));
    }

    @EveryNetwork
    void bodyUntilTheEndOfInputEndsWithAnEmptyLastPart(Stage stage) throws IOException {
        Story story = stage.story(BODIES);
        Server server = stage.open(stage.server(story).framing(LINES_IN));
        Client client = stage.client(server);
        client.send("all\n1\n2\n");
        client.expect("1\n2\n");
        client.send("3\n");
        client.finish();
        assertThat(client.restText()).isEqualTo("3\n|");
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).endsWith("last part ", "end", "close PEER_FINISHED");
    }

    @EveryNetwork
    void bodyThatIsCutShortHasNoLastPart(Stage stage) throws IOException {
        Story story = stage.story(BODIES);
        Story strict = stage.story(BODIES);
        Server server = stage.open(stage.server(story).framing(LINES_IN)
                .listen(Stage.FREE_PORT, stage.listening(Protocol.of(LINES_IN.withRemainder(Remainder.ERROR), strict))));
        for (int i = 0; i < 2; i++) {
            Client client = stage.client(server.addresses().get(i));
            client.send("10\nabc");
            client.finish();
            assertThat(client.restText()).isEqualTo("abc");
        }
        stage.until("closed", () -> story.count("close") + strict.count("close") == 2);
        assertThat(story.count("last")).isZero();
        assertThat(story.callbacks()).endsWith("end", "close PEER_FINISHED");
        assertThat(strict.count("end")).isZero();
        assertThat(strict.reasons()).containsExactly(CloseReason.PROTOCOL_ERROR);
        assertThat(strict.connection(0).failure()).hasMessage("the input ended 7 bytes too early");
    }

    @EveryNetwork
    void handlerWithoutOnPartFails(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> connection.receiveParts(3));
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("go\nabc");
        client.expectEnd();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.HANDLER_FAILED);
    }

    /**
     * A long reply is sent at once, between two messages, which may notify the handler of the drained queue: on some networks at once,
     * on others later. The outcome is the same on all.
     */
    @EveryNetwork
    void partsCannotBeRequestedWhenTheQueueHasDrained(Stage stage) throws IOException {
        byte[] reply = FramedEchoTest.patterned(10_000);
        StringBuilder seen = new StringBuilder();
        Server server = stage.open(stage.server(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer line) {
                seen.append("message ").append(Story.text(line)).append(';');
                if (seen.length() < 12) {
                    connection.send(reply);
                }
            }

            @Override
            public void onDrained(Connection connection) {
                assertThatThrownBy(() -> connection.receiveParts(3)).isInstanceOf(IllegalStateException.class);
            }
        }).framing(LINES_IN).limits(Limits.defaults().withQueueBytesMax(20_000).withQueueMarks(10_000, 5_000)));
        Client client = stage.client(server);
        client.send("go\nabcd\n");
        assertThat(client.receive(reply.length)).isEqualTo(reply);
        stage.settle();
        assertThat(seen).hasToString("message go;message abcd;");
    }
}
