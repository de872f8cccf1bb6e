package io.trivet.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.tls.TlsEngines.Failure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The contract of {@link TlsEngine}: two engines talk to each other, record by record. */
@ParameterizedClass
@EnumSource(value = TlsEngineKind.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
final class TlsEngineTest {
    private static final int ROOM = 4 * TlsEngine.RECORD_BYTES_MAX;

    private final TlsEngineKind kind;
    private final TlsServer.Builder serverSettings = TlsServer.builder()
            .certificate(TestCertificates.file("localhost.pem"), TestCertificates.file("localhost.key"));
    private final TlsClient.Builder clientSettings = TlsClient.builder().authorities(TestCertificates.file("ca.pem"));
    private final EngineBuffers buffers = new EngineBuffers();
    private final List<TlsEngine> engines = new ArrayList<>();

    TlsEngineTest(TlsEngineKind kind) {
        this.kind = TlsEngines.require(kind);
        serverSettings.engine(kind);
        clientSettings.engine(kind);
    }

    private TlsEngine client() throws IOException {
        return keep(clientSettings.build().engine("localhost", 1, buffers));
    }

    private TlsEngine server() throws IOException {
        return keep(serverSettings.build().engine(buffers));
    }

    private TlsEngine keep(TlsEngine engine) {
        engines.add(engine);
        return engine;
    }

    @AfterEach
    void everythingIsFreed() {
        engines.forEach(TlsEngine::free);
        buffers.close();
        assertThat(OpenSslTlsEngine.live()).isZero();
    }

    /** One side: an engine, and what it has for the other one. */
    private static final class Side {
        final TlsEngine engine;
        final ByteBuffer output = ByteBuffer.allocateDirect(ROOM);
        final ByteBuffer plaintext = ByteBuffer.allocateDirect(ROOM);

        Side(TlsEngine engine) {
            this.engine = engine;
        }

        /** Wraps all output of the engine itself. Returns true if there was some. */
        boolean settle() throws IOException {
            boolean moved = false;
            while (engine.hasTask() || engine.hasOutput()) {
                if (engine.hasTask()) {
                    engine.runTask();
                } else {
                    engine.wrapOutput(output);
                }
                moved = true;
            }
            return moved;
        }

        /** Processes what the other side has put out. */
        boolean take(Side other) throws IOException {
            other.output.flip();
            boolean moved = other.output.hasRemaining();
            while (other.output.hasRemaining()) {
                settle();
                ByteBuffer record = record(other.output);
                assertThat(engine.unwrap(record, plaintext)).isTrue();
                assertThat(record.hasRemaining()).isFalse();
                settle();
            }
            other.output.clear();
            return moved;
        }

        void send(ByteBuffer bytes) throws IOException {
            while (bytes.hasRemaining()) {
                assertThat(engine.wrap(new ByteBuffer[]{bytes}, 0, 1, output)).isPositive();
            }
        }

        byte[] received() {
            plaintext.flip();
            byte[] bytes = new byte[plaintext.remaining()];
            plaintext.get(bytes);
            plaintext.clear();
            return bytes;
        }
    }

    private static ByteBuffer record(ByteBuffer from) {
        int length = TlsEngine.HEADER_BYTES + (from.getShort(from.position() + 3) & 0xffff);
        ByteBuffer record = from.slice(from.position(), length);
        from.position(from.position() + length);
        return record;
    }

    private static void exchange(Side client, Side server) throws IOException {
        boolean moved = true;
        while (moved) {
            boolean first = client.settle();
            boolean second = server.take(client);
            boolean third = server.settle();
            boolean fourth = client.take(server);
            moved = first || second || third || fourth;
        }
    }

    private Side[] handshake() throws IOException {
        Side client = new Side(client());
        Side server = new Side(server());
        assertThat(client.engine.isHandshaking()).isTrue();
        exchange(client, server);
        assertThat(client.engine.isHandshaking()).isFalse();
        assertThat(server.engine.isHandshaking()).isFalse();
        return new Side[]{client, server};
    }

    @Test
    void bytesOfAllSizesArrive() throws IOException {
        for (String protocol : new String[]{"TLSv1.3", "TLSv1.2"}) {
            serverSettings.protocols(protocol);
            Side[] sides = handshake();
            for (int size : new int[]{1, 2, 64, 16_383, 16_384, 16_385, 40_000}) {
                ByteBuffer bytes = ByteBuffer.allocateDirect(size);
                for (int i = 0; i < size; i++) {
                    bytes.put(i, (byte) (i * 31));
                }
                sides[0].send(bytes.duplicate());
                sides[1].take(sides[0]);
                byte[] received = sides[1].received();
                assertThat(ByteBuffer.wrap(received)).isEqualTo(bytes);
                sides[1].send(bytes.duplicate());
                sides[0].take(sides[1]);
                assertThat(sides[0].received()).isEqualTo(received);
            }
            assertThat(sides[0].engine.info().engine()).isEqualTo(kind);
            assertThat(sides[0].engine.info().protocol()).isEqualTo(protocol);
            assertThat(sides[1].engine.info().serverName()).isEqualTo("localhost");
            assertThat(sides[0].engine.info().peerCertificates()).hasSize(1);
            assertThat(sides[1].engine.info().peerCertificates()).isEmpty();
        }
    }

    @Test
    void oneRecordIsGatheredFromSeveralBuffers() throws IOException {
        Side[] sides = handshake();
        ByteBuffer[] parts = {null, ByteBuffer.allocateDirect(0), ByteBuffer.allocateDirect(3), ByteBuffer.allocateDirect(5),
            null};
        assertThat(sides[0].engine.wrap(parts, 1, 3, sides[0].output)).isEqualTo(8);
        sides[1].take(sides[0]);
        assertThat(sides[1].received()).hasSize(8);
    }

    @Test
    void tls13HalfCloses() throws IOException {
        Side[] sides = handshake();
        sides[0].engine.endOutput();
        exchange(sides[0], sides[1]);
        assertThat(sides[1].engine.hasInputEnded()).isTrue();
        assertThat(sides[0].engine.hasOutputEnded()).isTrue();
        assertThat(sides[1].engine.hasOutputEnded()).isFalse();
        sides[1].send(ByteBuffer.allocateDirect(10));
        sides[0].take(sides[1]);
        assertThat(sides[0].received()).hasSize(10);
        sides[1].engine.endOutput();
        exchange(sides[0], sides[1]);
        assertThat(sides[0].engine.hasInputEnded()).isTrue();
    }

    @Test
    void tls12EndsBothDirectionsTogether() throws IOException {
        serverSettings.protocols("TLSv1.2");
        Side[] sides = handshake();
        sides[0].engine.endOutput();
        exchange(sides[0], sides[1]);
        assertThat(sides[1].engine.hasInputEnded()).isTrue();
        assertThat(sides[1].engine.hasOutputEnded()).isTrue();
        assertThat(sides[0].engine.hasInputEnded()).isTrue();
        assertThat(sides[1].engine.wrap(new ByteBuffer[]{ByteBuffer.allocateDirect(1)}, 0, 1, sides[1].output)).isEqualTo(-1);
    }

    @Test
    void tooLittleRoomProcessesNothing() throws IOException {
        Side[] sides = handshake();
        sides[0].send(ByteBuffer.allocateDirect(TlsEngine.PLAINTEXT_BYTES_MAX));
        sides[0].output.flip();
        ByteBuffer record = record(sides[0].output);
        ByteBuffer small = ByteBuffer.allocateDirect(100);
        assertThat(sides[1].engine.unwrap(record, small)).isFalse();
        assertThat(small.position()).isZero();
        assertThat(record.position()).isZero();
        ByteBuffer enough = ByteBuffer.allocateDirect(TlsEngine.RECORD_BYTES_MAX);
        assertThat(sides[1].engine.unwrap(record, enough)).isTrue();
        assertThat(enough.position()).isGreaterThan(TlsEngine.PLAINTEXT_BYTES_MAX / 2);
    }

    @Test
    void aForgedRecordFailsWithAnAlert() throws IOException {
        Side[] sides = handshake();
        sides[0].send(ByteBuffer.allocateDirect(100));
        sides[0].output.put(20, (byte) (sides[0].output.get(20) ^ 1));
        assertThatThrownBy(() -> sides[1].take(sides[0])).isInstanceOf(TlsException.class)
                .hasMessageContaining(TlsEngines.text(kind, Failure.FORGED));
        assertThat(sides[1].engine.hasOutput()).isTrue();
        sides[1].settle();
        assertThatThrownBy(() -> sides[0].take(sides[1])).isInstanceOf(TlsException.class).hasMessageContaining("bad_record_mac");
    }

    @Test
    void anAlertInPlaintextIsNamed() throws IOException {
        Side client = new Side(client());
        Side server = new Side(server());
        client.settle();
        server.take(client);
        server.output.clear();
        server.output.flip();
        ByteBuffer alert = ByteBuffer.allocateDirect(TlsEngine.HEADER_BYTES + 2).put(new byte[]{21, 3, 3, 0, 2, 2, 48}).flip();
        assertThatThrownBy(() -> server.engine.unwrap(alert, server.plaintext)).isInstanceOf(TlsException.class)
                .hasMessage("the peer has sent the alert unknown_ca");
    }

    @Test
    void aMissingClientCertificateIsNamed() throws IOException {
        serverSettings.clientAuthentication(ClientAuthentication.REQUIRED, TestCertificates.file("ca.pem"));
        Side client = new Side(client());
        Side server = new Side(server());
        assertThatThrownBy(() -> exchange(client, server)).isInstanceOf(TlsException.class);
        server.settle();
        assertThatThrownBy(() -> client.take(server)).isInstanceOf(TlsException.class)
                .hasMessage("the peer has sent the alert certificate_required: it requires a client certificate");
    }

    @Test
    void anUntrustedCertificateIsRefused() throws IOException {
        clientSettings.authorities(TestCertificates.file("other-ca.pem"));
        assertThatThrownBy(this::handshake).isInstanceOf(TlsException.class)
                .hasMessageContaining(TlsEngines.text(kind, Failure.UNTRUSTED));
    }

    @Test
    void randomRecordsEndInAnException() throws IOException {
        long seed = Long.getLong("trivet.tls.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int i = 0; i < 300; i++) {
            boolean established = i % 10 == 0;
            TlsEngine engine = established ? handshake()[1].engine : server();
            int length = random.nextInt(1, 400);
            byte[] bytes = new byte[TlsEngine.HEADER_BYTES + length];
            random.nextBytes(bytes);
            bytes[0] = (byte) random.nextInt(20, 25);
            bytes[1] = 3;
            bytes[2] = (byte) random.nextInt(1, 5);
            bytes[3] = (byte) (length >> 8);
            bytes[4] = (byte) length;
            ByteBuffer record = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
            try {
                Side side = new Side(engine);
                side.engine.unwrap(record, side.plaintext);
                side.settle();
                assertThat(side.received()).as("seed %s", seed).isEmpty();
            } catch (IOException e) {
                assertThat(e).as("seed %s", seed).isInstanceOf(TlsException.class);
                assertThat(e.getMessage()).doesNotContain("\n");
            }
        }
    }
}
