package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.TcpStream;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A flow of bytes from one stream to another. Each byte's value follows from its offset and is checked. One thread drives several
 * flows.
 */
final class Flow {
    private static final Duration TIMEOUT = Duration.ofSeconds(Program.TIMEOUT_SECONDS);
    /** A sender that cannot write for this long counts as stuck. */
    private static final Duration STUCK = Duration.ofMillis(500);

    private final TcpStream from;
    private final TcpStream to;
    private final long bytes;
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(64 * 1024);
    private long written;
    private long read;

    Flow(TcpStream from, TcpStream to, long bytes) {
        this.from = from;
        this.to = to;
        this.bytes = bytes;
    }

    /** Writes without reading until no stream accepts more. */
    static void writeUntilStuck(List<Flow> flows) throws IOException {
        boolean moved = true;
        while (moved) {
            Ready<TcpStream> ready = Select.select(List.of(), writers(flows), List.of(), STUCK);
            moved = writeSome(flows, ready);
        }
    }

    /** Writes and reads until all bytes have arrived; fails on a wrong byte. */
    static void exchange(List<Flow> flows) throws IOException {
        while (flows.stream().anyMatch(flow -> flow.read < flow.bytes)) {
            List<TcpStream> readers = flows.stream().filter(flow -> flow.read < flow.bytes).map(flow -> flow.to).toList();
            Ready<TcpStream> ready = Select.select(readers, writers(flows), List.of(), TIMEOUT);
            assertThat(ready.isEmpty()).as("progress within the timeout").isFalse();
            writeSome(flows, ready);
            for (Flow flow : flows) {
                if (ready.readable().contains(flow.to)) {
                    flow.readSome();
                }
            }
        }
    }

    /** Waits until the stream is readable, and returns the result of a read of one byte. */
    static int awaitRead(TcpStream stream) throws IOException {
        assertThat(Select.select(List.of(stream), List.of(), List.of(), TIMEOUT).isEmpty()).as("readable within the timeout")
                .isFalse();
        return stream.read(ByteBuffer.allocate(1));
    }

    private static List<TcpStream> writers(List<Flow> flows) {
        List<TcpStream> writers = new ArrayList<>();
        for (Flow flow : flows) {
            if (flow.written < flow.bytes) {
                writers.add(flow.from);
            }
        }
        return writers;
    }

    private static boolean writeSome(List<Flow> flows, Ready<TcpStream> ready) throws IOException {
        boolean moved = false;
        for (Flow flow : flows) {
            if (ready.writable().contains(flow.from)) {
                moved |= flow.writeSome() > 0;
            }
        }
        return moved;
    }

    private int writeSome() throws IOException {
        chunk.clear().limit((int) Math.min(chunk.capacity(), bytes - written));
        for (int i = 0; i < chunk.limit(); i++) {
            chunk.put(i, at(written + i));
        }
        int count = from.write(chunk);
        written += count;
        return count;
    }

    private void readSome() throws IOException {
        int count = to.read(chunk.clear());
        assertThat(count).as("end of input after %s bytes", read).isNotNegative();
        for (int i = 0; i < count; i++) {
            if (chunk.get(i) != at(read + i)) {
                throw new AssertionError("byte " + (read + i) + " is wrong");
            }
        }
        read += count;
    }

    private static byte at(long offset) {
        return (byte) (offset * 31 + (offset >>> 8) * 7 + (offset >>> 16));
    }

    long writtenBytes() {
        return written;
    }
}
