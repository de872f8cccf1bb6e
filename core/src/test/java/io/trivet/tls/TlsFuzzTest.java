package io.trivet.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.trivet.net.Clock;
import io.trivet.net.Completions;
import io.trivet.net.TcpStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Records that no honest peer sends, before, within and after the handshake: random bytes, cut, too long, repeated, in the wrong order, forged.
 * Each connection ends with one failure in one line, or goes on; nothing is thrown, and nothing leaks.
 *
 * <p>A long run: {@code -Dtrivet.tls.records=1000000}. A failure prints the seed for {@code -Dtrivet.tls.seed}.
 */
@ParameterizedClass
@EnumSource(value = TlsEngineKind.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
final class TlsFuzzTest {
    private static final long RECORDS = Long.getLong("trivet.tls.records", 2_000);
    private static final long HANDLE = 0;

    private final TlsEngineKind kind;
    private final long seed = Long.getLong("trivet.tls.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final FakeProactor below = new FakeProactor();
    private final TlsProactor proactor = new TlsProactor(below.proactor(), Clock.SYSTEM);
    private final EngineBuffers buffers = new EngineBuffers();
    private final TlsServer[] servers;
    private final TlsClient[] clients;
    private final Outcome outcome = new Outcome();
    /** What the peer has put out, and the victim is yet to receive. */
    private final ByteArrayOutputStream pending = new ByteArrayOutputStream();
    private long records;
    private int failures;
    private int completed;

    TlsFuzzTest(TlsEngineKind kind) throws IOException {
        this.kind = TlsEngines.require(kind);
        servers = new TlsServer[]{server("TLSv1.3"), server("TLSv1.2")};
        clients = new TlsClient[]{client("TLSv1.3"), client("TLSv1.2")};
    }

    private TlsServer server(String protocol) throws IOException {
        return TlsServer.builder().certificate(TestCertificates.file("localhost.pem"), TestCertificates.file("localhost.key"))
                .clientAuthentication(ClientAuthentication.OPTIONAL, TestCertificates.file("ca.pem")).protocols(protocol)
                .engine(kind)
                .build();
    }

    private TlsClient client(String protocol) throws IOException {
        return TlsClient.builder().authorities(TestCertificates.file("ca.pem")).protocols(protocol).engine(kind).build();
    }

    /** What the caller of the proactor learns of the one connection. */
    private static final class Outcome implements Completions {
        private int failures;
        private int endings;
        private boolean connected;
        private @Nullable IOException failure;

        void clear() {
            failures = 0;
            endings = 0;
            connected = false;
            failure = null;
        }

        @Override
        public void accepted(long token, TcpStream stream) {
            fail("there is no listener");
        }

        @Override
        public void acceptFailed(long token, IOException cause) {
            fail("there is no listener");
        }

        @Override
        public void connected(long handle) {
            connected = true;
        }

        @Override
        public void received(long handle, ByteBuffer memory, int from, int to) {
            assertThat(failures + endings).as("bytes after the end").isZero();
        }

        @Override
        public void urgent(long handle, byte b) {
            fail("there is no urgent data");
        }

        @Override
        public void inputEnded(long handle) {
            endings++;
        }

        @Override
        public void inputTruncated(long handle, IOException cause) {
            endings++;
        }

        @Override
        public void sent(long handle, long bytes) {
            // The fake proactor accepts everything at once.
        }

        @Override
        public void failed(long handle, IOException cause) {
            failures++;
            failure = cause;
        }

        @Override
        public void spinning(long handle, String description) {
            fail("there is no socket");
        }

        @Override
        public void closed(long handle) {
            fail("there is no socket");
        }
    }

    @Test
    void everyRecordEndsInAnOutcome() throws IOException {
        try {
            while (records < RECORDS) {
                connection();
            }
        } catch (IOException | RuntimeException | AssertionError e) {
            throw new AssertionError("seed " + seed + ", record " + records, e);
        }
        proactor.close();
        buffers.close();
        assertThat(OpenSslTlsEngine.live()).isZero();
        assertThat(failures).isPositive();
        assertThat(completed).isPositive();
    }

    /** One connection: some honest records, then dishonest ones, then the end. */
    private void connection() throws IOException {
        boolean isServer = random.nextInt(3) > 0;
        int protocol = random.nextInt(2);
        TlsEngine peer = isServer ? clients[protocol].engine("localhost", 1, buffers) : servers[protocol].engine(buffers);
        outcome.clear();
        below.sent();
        try {
            proactor.secure(HANDLE, isServer ? servers[protocol] : clients[protocol].withServerName("localhost"));
            proactor.receive(HANDLE);
            int steps = random.nextInt(8) == 0 ? Integer.MAX_VALUE : random.nextInt(3);
            handshake(peer, steps);
            boolean established = !peer.isHandshaking() && outcome.connected;
            completed += established ? 1 : 0;
            List<byte[]> honest = established ? dataOf(peer) : handshakeOf(peer);
            for (byte[] mutated : mutations(honest)) {
                records++;
                deliver(mutated);
            }
            if (outcome.failures == 0 && outcome.endings == 0) {
                below.ends(HANDLE);
                settle();
                assertThat(outcome.failures + outcome.endings).isEqualTo(1);
            }
        } finally {
            peer.free();
            proactor.reset(HANDLE);
        }
        assertThat(outcome.failures).isLessThanOrEqualTo(1);
        IOException failure = outcome.failure;
        if (failure != null) {
            failures++;
            assertThat(failure.getMessage()).isNotBlank().doesNotContain("\n", "\r");
        }
        assertThat(proactor.keptBytes()).isZero();
        settle();
    }

    private void settle() throws IOException {
        do {
            proactor.poll(outcome, 1); // not 0: with something else to do, handshakes would get a part of the time
        } while (proactor.hasWork());
    }

    /** Exchanges honest records, each delivery a step, until the handshake is over or this many steps were made. */
    private void handshake(TlsEngine peer, int steps) throws IOException {
        for (int step = 0; step < steps && outcome.failures == 0; step++) {
            settle();
            feed(peer, below.sent());
            byte[] output = outputOf(peer);
            if (output.length == 0) {
                return;
            }
            deliver(output);
        }
    }

    private void feed(TlsEngine peer, byte[] bytes) throws IOException {
        ByteBuffer all = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
        ByteBuffer plaintext = ByteBuffer.allocateDirect(2 * TlsEngine.RECORD_BYTES_MAX);
        while (all.remaining() >= TlsEngine.HEADER_BYTES) {
            int length = TlsEngine.HEADER_BYTES + (all.getShort(all.position() + 3) & 0xffff);
            peer.unwrap(all.slice(all.position(), length), plaintext);
            all.position(all.position() + length);
            if (peer.hasTask()) {
                peer.runTask();
            }
            if (peer.hasOutput() && all.hasRemaining()) {
                pending.writeBytes(wrapped(peer));
            }
        }
    }

    private byte[] outputOf(TlsEngine peer) throws IOException {
        if (peer.hasTask()) {
            peer.runTask();
        }
        pending.writeBytes(wrapped(peer));
        byte[] all = pending.toByteArray();
        pending.reset();
        return all;
    }

    private static byte[] wrapped(TlsEngine peer) throws IOException {
        ByteBuffer output = ByteBuffer.allocateDirect(4 * TlsEngine.RECORD_BYTES_MAX);
        while (peer.hasOutput() || peer.hasTask()) {
            if (peer.hasTask()) {
                peer.runTask();
            } else {
                peer.wrapOutput(output);
            }
        }
        byte[] bytes = new byte[output.flip().remaining()];
        output.get(bytes);
        return bytes;
    }

    private List<byte[]> handshakeOf(TlsEngine peer) throws IOException {
        List<byte[]> all = new ArrayList<>();
        byte[] output = outputOf(peer);
        for (int i = 0; i + TlsEngine.HEADER_BYTES <= output.length;) {
            int length = TlsEngine.HEADER_BYTES + ((output[i + 3] & 0xff) << 8) + (output[i + 4] & 0xff);
            all.add(Arrays.copyOfRange(output, i, Math.min(output.length, i + length)));
            i += length;
        }
        return all;
    }

    private List<byte[]> dataOf(TlsEngine peer) throws IOException {
        List<byte[]> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            ByteBuffer record = ByteBuffer.allocateDirect(TlsEngine.RECORD_BYTES_MAX);
            int size = random.nextInt(10) == 0 ? TlsEngine.PLAINTEXT_BYTES_MAX : random.nextInt(1, 200);
            peer.wrap(new ByteBuffer[]{ByteBuffer.allocateDirect(size)}, 0, 1, record);
            byte[] bytes = new byte[record.flip().remaining()];
            record.get(bytes);
            all.add(bytes);
        }
        return all;
    }

    private List<byte[]> mutations(List<byte[]> honest) {
        List<byte[]> all = new ArrayList<>(honest);
        if (all.isEmpty()) {
            all.add(randomRecord());
        }
        int index = random.nextInt(all.size());
        byte[] record = all.get(index);
        switch (random.nextInt(8)) {
            case 0 -> all.set(index, randomRecord());
            case 1 -> all.set(index, Arrays.copyOf(record, random.nextInt(record.length))); // cut: the next one is read as its rest
            case 2 ->
                all.set(index, withLength(Arrays.copyOf(record, random.nextInt(TlsEngine.HEADER_BYTES, record.length + 1))));
            case 3 -> all.set(index, withLength(Arrays.copyOf(record, record.length + random.nextInt(1, 20_000))));
            case 4 -> all.add(index, record);
            case 5 -> all.add(all.remove(0));
            case 6 -> record[random.nextInt(record.length)] ^= (byte) (1 << random.nextInt(8));
            default -> {
                byte[] garbage = new byte[random.nextInt(1, 3_000)];
                random.nextBytes(garbage);
                all.add(index, garbage);
            }
        }
        return all;
    }

    private byte[] randomRecord() {
        byte[] record = new byte[TlsEngine.HEADER_BYTES + random.nextInt(600)];
        random.nextBytes(record);
        record[0] = (byte) random.nextInt(20, 25);
        record[1] = 3;
        record[2] = (byte) random.nextInt(1, 5);
        return withLength(record);
    }

    private static byte[] withLength(byte[] record) {
        int length = record.length - TlsEngine.HEADER_BYTES;
        record[3] = (byte) (length >> 8);
        record[4] = (byte) length;
        return record;
    }

    /** Delivers bytes in one or several parts. */
    private void deliver(byte[] bytes) throws IOException {
        int from = 0;
        while (from < bytes.length) {
            int to = random.nextInt(4) > 0 ? bytes.length : random.nextInt(from + 1, bytes.length + 1);
            below.receives(HANDLE, bytes, from, to);
            settle();
            from = to;
        }
    }
}
