package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.Pair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** Files are sent by the kernel where it can, and can be read everywhere. */
final class SentFileTest {
    private static final int BYTES = 3_000_000;

    @TempDir Path directory;

    @EveryEngine
    @Case("S9")
    void fileIsSentThroughPartialSends(Lab lab) throws IOException {
        byte[] content = content();
        Pair pair = lab.pair();
        try (SendableFile file = lab.network().openFile(Files.write(directory.resolve("file"), content))) {
            assertThat(file.size()).isEqualTo(BYTES);
            if (pair.client().sendFile(file, BYTES, 1) == SendableFile.UNSUPPORTED) {
                lab.cannot("the simulated kernel sends no files: they are read instead");
                return;
            }
            ByteBuffer received = ByteBuffer.allocate(BYTES - 1000);
            long[] sent = {1000};
            lab.eventually("all arrives", () -> {
                if (sent[0] < BYTES) {
                    long count = pair.client().sendFile(file, sent[0], BYTES - sent[0]);
                    assertThat(count).isBetween(0L, BYTES - sent[0]);
                    sent[0] += count;
                }
                pair.server().read(received);
                return !received.hasRemaining();
            });
            assertThat(received.flip()).isEqualTo(ByteBuffer.wrap(content, 1000, BYTES - 1000));
            lab.eventually("its end is reported", () -> pair.client().sendFile(file, BYTES, 10) == SendableFile.ENDED);
            lab.eventually("and behind it", () -> pair.client().sendFile(file, BYTES + 1L, 10) == SendableFile.ENDED);
            pair.client().close();
            assertThatThrownBy(() -> pair.client().sendFile(file, 0, 10)).isInstanceOf(ClosedChannelException.class);
        }
    }

    @EveryEngine
    @Case("S9")
    void fileIsReadFromAnyPosition(Lab lab) throws IOException {
        byte[] content = content();
        Path path = Files.write(directory.resolve("file"), content);
        SendableFile file = lab.network().openFile(path);
        for (ByteBuffer buffer : new ByteBuffer[]{ByteBuffer.allocate(100), ByteBuffer.allocateDirect(100)}) {
            int position = buffer.isDirect() ? 2_000_000 : 1_000_000;
            while (buffer.hasRemaining()) {
                assertThat(file.read(buffer, position + (long) buffer.position())).isPositive();
            }
            assertThat(buffer.flip()).isEqualTo(ByteBuffer.wrap(content, position, 100));
            assertThat(file.read(buffer.limit(0), position + 100L)).as("no room").isZero();
        }
        assertThat(file.read(ByteBuffer.allocateDirect(10), BYTES)).isEqualTo(-1);
        file.close();
        file.close();
        assertThatThrownBy(() -> file.read(ByteBuffer.allocateDirect(10), BYTES)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> lab.network().openFile(directory.resolve("none"))).isInstanceOf(IOException.class)
                .hasMessageContaining("none");
    }

    private static byte[] content() {
        byte[] content = new byte[BYTES];
        for (int i = 0; i < BYTES; i++) {
            content[i] = (byte) (i * 31 ^ i >>> 8);
        }
        return content;
    }
}
