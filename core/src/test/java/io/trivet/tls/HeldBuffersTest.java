package io.trivet.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The buffers of incomplete records: their sizes, their reuse, and what happens without direct memory. */
final class HeldBuffersTest {
    private final HeldBuffers buffers = new HeldBuffers();

    /** Fills the direct memory of its JVM, which has a few megabytes, and prints how that ends. */
    static final class FillMemory {
        private FillMemory() {}

        public static void main(String[] args) {
            HeldBuffers buffers = new HeldBuffers();
            List<ByteBuffer> held = new ArrayList<>();
            try {
                while (true) {
                    held.add(buffers.append(null, ByteBuffer.allocate(TlsEngine.RECORD_BYTES_MAX)));
                }
            } catch (TlsException e) {
                System.out.println(e.getMessage());
            }
            System.out.println(buffers.bytes() == (long) held.size() * TlsEngine.RECORD_BYTES_MAX);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 512, 513, 1024, 3000, 8192, 8193, 16_384, TlsEngine.RECORD_BYTES_MAX})
    void releasedBufferIsUsedAgain(int bytes) throws TlsException {
        ByteBuffer first = buffers.append(null, ByteBuffer.allocate(bytes));
        assertThat(first.capacity()).isGreaterThanOrEqualTo(bytes).isLessThanOrEqualTo(Math.max(512, 3 * bytes));
        assertThat(first.position()).isEqualTo(bytes);
        assertThat(buffers.bytes()).isEqualTo(first.capacity());
        buffers.release(first);
        assertThat(buffers.bytes()).isZero();
        assertThat(buffers.append(null, ByteBuffer.allocate(bytes))).isSameAs(first);
        assertThat(first.position()).isEqualTo(bytes);
        assertThat(buffers.append(null, ByteBuffer.allocate(bytes))).as("in use").isNotSameAs(first);
    }

    @Test
    void bufferGrowsWithItsContentAndTheSmallerOneIsUsedAgain() throws TlsException {
        ByteBuffer first = buffers.append(null, ByteBuffer.wrap(new byte[]{1, 2, 3}));
        ByteBuffer larger = buffers.append(first, ByteBuffer.allocate(600));
        assertThat(larger).isNotSameAs(first);
        assertThat(larger.position()).isEqualTo(603);
        assertThat(new byte[]{larger.get(0), larger.get(1), larger.get(2), larger.get(3)}).containsExactly(1, 2, 3, 0);
        assertThat(buffers.bytes()).isEqualTo(larger.capacity());
        assertThat(buffers.append(null, ByteBuffer.allocate(5))).isSameAs(first);
    }

    @Test
    void moreThanARecordIsHeldAndNotKept() throws TlsException {
        ByteBuffer first = buffers.append(null, ByteBuffer.allocate(100_000));
        assertThat(buffers.bytes()).isEqualTo(first.capacity()).isGreaterThanOrEqualTo(100_000);
        buffers.release(first);
        assertThat(buffers.bytes()).isZero();
        assertThat(buffers.append(null, ByteBuffer.allocate(100_000))).isNotSameAs(first);
    }

    @Test
    void memoryIsCountedAsLongAsABufferIsInUseOrKept() throws TlsException {
        ByteBuffer small = buffers.append(null, ByteBuffer.allocate(600));
        ByteBuffer large = buffers.append(null, ByteBuffer.allocate(100_000));
        assertThat(buffers.memoryBytes()).isEqualTo(small.capacity() + large.capacity());
        buffers.release(large);
        buffers.release(small);
        assertThat(buffers.memoryBytes()).as("kept for reuse").isEqualTo(small.capacity());
        assertThat(buffers.append(null, ByteBuffer.allocate(600))).isSameAs(small);
        assertThat(buffers.memoryBytes()).as("used again").isEqualTo(small.capacity());
        buffers.release(small);
        buffers.clear();
        assertThat(buffers.memoryBytes()).isZero();
    }

    @Test
    void refusedMemoryFailsOneConnectionWithTheCure() throws Exception {
        String root = Path.of(System.getProperty("trivet.root", ".."), "core", "target").toString();
        Process process = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-XX:MaxDirectMemorySize=2m", "-cp",
                root + "/classes" + System.getProperty("path.separator") + root + "/test-classes", FillMemory.class.getName())
                .redirectErrorStream(true).start();
        process.getOutputStream().close();
        List<String> lines = process.inputReader().lines().toList();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(lines).containsExactly("there is no direct memory for " + TlsEngine.RECORD_BYTES_MAX
                + " bytes of a TLS connection: -XX:MaxDirectMemorySize or -Xmx raises the limit", "true");
    }
}
