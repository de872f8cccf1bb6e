package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Network;
import io.trivet.observe.CloseReason;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files are sent as they are, range by range, on every engine: by the kernel itself where it can. */
final class SentFilesTest {
    private static final Handler SILENT = (connection, message) -> {};
    private static final byte[] CONTENT = FramedEchoTest.patterned(2_500_000);

    private final Transferred transferred = new Transferred();

    @TempDir Path directory;

    private Path file(byte[] content) throws IOException {
        return Files.write(directory.resolve("file"), content);
    }

    /** Answers {@code FROM COUNT} with the range of the file. */
    private Handler rangesOf(Path file) {
        return (connection, message) -> {
            String range = StandardCharsets.US_ASCII.decode(message).toString();
            int space = range.indexOf(' ');
            long from = Long.parseLong(range.substring(0, space));
            connection.send("range " + from);
            connection.sendFile(file, from, Long.parseLong(range.substring(space + 1)), transferred);
            connection.send("end");
        };
    }

    @EveryNetwork(unix = true)
    void fileArrivesRangeByRange(Stage stage) throws Exception {
        Path file = file(CONTENT);
        Server server = stage.open(stage.server(rangesOf(file)).framing(Framing.lines()));
        Client client = stage.client(server);
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        int count = 0;
        for (int at = 0; at < CONTENT.length; at += count) {
            count = Math.min(CONTENT.length - at, Math.max(1, 3 * count));
            boolean isLast = at + count == CONTENT.length;
            client.send(at + " " + (isLast ? -1 : count) + "\n");
            assertThat(client.line()).isEqualTo("range " + at);
            digest.update(client.receive(count));
            assertThat(client.line()).isEqualTo("end");
        }
        assertThat(digest.digest()).isEqualTo(MessageDigest.getInstance("SHA-256").digest(CONTENT));
        client.send("7 0\n" + CONTENT.length + " -1\n");
        assertThat(client.line() + client.line() + client.line() + client.line())
                .isEqualTo("range 7endrange " + CONTENT.length + "end");
        stage.settle();
        assertThat(transferred.ends()).allMatch(end -> end.endsWith(" complete")).endsWith("0 complete", "0 complete");
        assertThat(descriptorsOf(file)).isZero();
    }

    /** Returns how many descriptors of this process refer to a file; 0 where that cannot be seen. */
    private static long descriptorsOf(Path file) throws IOException {
        Path descriptors = Path.of("/proc/self/fd");
        if (!Files.exists(descriptors)) {
            return 0;
        }
        try (Stream<Path> all = Files.list(descriptors)) {
            return all.filter(descriptor -> {
                try {
                    return Files.readSymbolicLink(descriptor).equals(file.toRealPath());
                } catch (IOException e) {
                    return false; // closed meanwhile
                }
            }).count();
        }
    }

    @EveryNetwork
    void fileThatCannotBeSentIsRefusedAtOnceAndTheConnectionStays(Stage stage) throws IOException {
        Path file = file(new byte[10]);
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        assertThatThrownBy(() -> connection.sendFile(directory.resolve("none"), 0, -1, transferred))
                .isInstanceOf(NoSuchFileException.class);
        assertThatThrownBy(() -> connection.sendFile(directory, 0, -1, transferred)).isInstanceOf(FileSystemException.class)
                .hasMessageContaining("not a regular file");
        for (List<Long> range : List.of(List.of(0L, 11L), List.of(11L, -1L), List.of(5L, Long.MAX_VALUE))) {
            assertThatThrownBy(() -> connection.sendFile(file, range.getFirst(), range.getLast(), transferred))
                    .isInstanceOf(EOFException.class).hasMessageContaining("has 10 bytes");
        }
        assertThatThrownBy(() -> connection.sendFile(file, -1, 1, transferred)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> connection.sendFile(file, 0, -2, transferred)).isInstanceOf(IllegalArgumentException.class);
        assertThat(connection.queue().messages()).isZero();
        assertThat(descriptorsOf(file)).isZero();
        connection.send("alive");
        connection.finish();
        assertThat(client.restText()).isEqualTo("alive");
        assertThat(connection.sendFile(file, 0, 1, transferred)).isEqualTo(SendResult.CLOSED);
        assertThat(transferred.count()).isZero();
        assertThat(descriptorsOf(file)).isZero();
    }

    @EveryNetwork
    void fileThatShrinksResetsTheConnection(Stage stage) throws IOException {
        Path file = file(new byte[Stage.OVERSIZED_BYTES]);
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        LoopParts.onOtherThread(() -> {
            try {
                assertThat(story.connection(0).sendFile(file, 0, -1, transferred)).isEqualTo(SendResult.QUEUED);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        stage.until("started", () -> {
            stage.settle();
            return story.connection(0).is(ConnectionRecord.AWAITS_WRITABLE);
        });
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(1);
        }
        assertThat(client.endsInOrder()).isFalse();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.TRANSFER_FAILED);
        assertThat(transferred.ends()).hasSize(1);
        assertThat(transferred.failure()).isInstanceOf(EOFException.class).hasMessageContaining("of " + Stage.OVERSIZED_BYTES);
        assertThat(descriptorsOf(file)).isZero();
    }

    /** Only Java can open such a file: it is read piece by piece. */
    @EveryNetwork
    void fileOfAnotherFileSystemIsReadInstead(Stage stage) throws IOException {
        Path archive = directory.resolve("archive.zip");
        try (FileSystem zip = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
            Files.write(zip.getPath("entry"), CONTENT);
        }
        try (FileSystem zip = FileSystems.newFileSystem(archive)) {
            Server server = stage.open(stage.server(rangesOf(zip.getPath("entry"))).framing(Framing.lines()));
            Client client = stage.client(server);
            client.send("1000 -1\n");
            assertThat(client.line()).isEqualTo("range 1000");
            assertThat(client.receive(CONTENT.length - 1000)).isEqualTo(Arrays.copyOfRange(CONTENT, 1000, CONTENT.length));
            assertThat(client.line()).isEqualTo("end");
            stage.until("notified", () -> transferred.count() == 1);
            assertThat(transferred.ends()).containsExactly(CONTENT.length - 1000 + " complete");
        }
        Files.delete(archive);
    }

    private static long openFiles(Path file) throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.filter(descriptor -> {
                try {
                    return Files.readSymbolicLink(descriptor).equals(file);
                } catch (IOException e) { // closed meanwhile
                    return false;
                }
            }).count();
        }
    }

    /** Twice as many tasks as fit for the application are waiting. Then nothing can be accepted, and the connection cannot be closed. */
    @Test
    void fileIsClosedIfTheLoopTakesNoFurtherTask() throws IOException {
        Path file = file(new byte[10]).toRealPath();
        try (Stage stage = new Stage(Network.named("select"))) {
            Story story = stage.story(SILENT);
            Server server = stage.open(stage.server(story));
            stage.client(server);
            stage.until("open", () -> story.count("open") == 1);
            Mailbox mailbox = server.loops().getFirst().mailbox();
            LoopParts.onOtherThread(() -> {
                for (int i = 0; i < 2 * TaskQueue.WAITING_MAX; i++) {
                    mailbox.run(() -> {});
                }
                assertThatThrownBy(() -> story.connection(0).sendFile(file, 0, -1, transferred))
                        .isInstanceOf(RejectedExecutionException.class);
            });
            assertThat(openFiles(file)).isZero();
        }
    }
}
