package io.trivet.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimNetwork;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the JDK's TLS sends if its randomness comes from a seed. */
final class SeededTlsTest {
    private static final int ROOM = 4 * TlsEngine.RECORD_BYTES_MAX;
    private static final byte HANDSHAKE = 22;
    private static final byte NEW_SESSION_TICKET = 4;

    /** What was sent before a session ticket, which contains the real time; and the types and lengths of all records. */
    private static final class Transcript {
        final ByteArrayOutputStream handshake = new ByteArrayOutputStream();
        final StringBuilder records = new StringBuilder();
        private boolean hasTicket;

        Transcript(long seed, String protocol) throws IOException {
            SecureRandom random = SimNetwork.of(seed, FaultPlan.none()).secureRandom();
            TlsEngine server = TlsServer.builder().certificate(TestCertificates.file("ed25519.pem"),
                    TestCertificates.file("ed25519.key")).secureRandom(random).protocols(protocol).build()
                    .engine(new EngineBuffers());
            TlsEngine client = TlsClient.builder().authorities(TestCertificates.file("ca.pem")).secureRandom(random).build()
                    .engine("localhost", 1, new EngineBuffers());
            ByteBuffer toServer = ByteBuffer.allocateDirect(ROOM);
            ByteBuffer toClient = ByteBuffer.allocateDirect(ROOM);
            for (boolean moved = true; moved;) {
                moved = put(client, toServer);
                moved |= take(server, toServer);
                moved |= put(server, toClient);
                moved |= take(client, toClient);
            }
            assertThat(client.isHandshaking() || server.isHandshaking()).isFalse();
            client.wrap(new ByteBuffer[]{ByteBuffer.allocateDirect(100)}, 0, 1, toServer.clear());
            records.append(toServer.position());
        }

        private static boolean put(TlsEngine engine, ByteBuffer to) throws IOException {
            boolean moved = false;
            for (; engine.hasTask() || engine.hasOutput(); moved = true) {
                if (engine.hasTask()) {
                    engine.runTask();
                } else {
                    engine.wrapOutput(to);
                }
            }
            return moved;
        }

        private boolean take(TlsEngine engine, ByteBuffer from) throws IOException {
            from.flip();
            boolean moved = false;
            for (; from.hasRemaining() && !engine.hasTask() && !engine.hasOutput(); moved = true) {
                byte[] record = new byte[TlsEngine.HEADER_BYTES + (from.getShort(from.position() + 3) & 0xffff)];
                from.get(record);
                records.append(record[0]).append(": ").append(record.length).append(", ");
                hasTicket |= !engine.isHandshaking()
                        || (record[0] == HANDSHAKE && record[TlsEngine.HEADER_BYTES] == NEW_SESSION_TICKET);
                if (!hasTicket) {
                    handshake.writeBytes(record);
                }
                engine.unwrap(ByteBuffer.allocateDirect(record.length).put(record).flip(), ByteBuffer.allocateDirect(ROOM));
            }
            from.compact();
            return moved;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void sameSeedGivesTheSameHandshakeWithEd25519(String protocol) throws IOException {
        Transcript first = new Transcript(1, protocol);
        Transcript again = new Transcript(1, protocol);
        assertThat(again.records).as("types and lengths of all records").hasToString(first.records.toString());
        assertThat(Arrays.equals(again.handshake.toByteArray(), first.handshake.toByteArray())).as("bytes").isTrue();
        assertThat(first.handshake.size()).isGreaterThan(1000);
        assertThat(Arrays.equals(new Transcript(2, protocol).handshake.toByteArray(), first.handshake.toByteArray()))
                .as("bytes of another seed").isFalse();
    }
}
