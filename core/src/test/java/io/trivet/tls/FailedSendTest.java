package io.trivet.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Clock;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A send that fails in the middle of a record: the peer must not get the next record as the rest of that one. */
@ParameterizedClass
@EnumSource(value = TlsEngineKind.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
final class FailedSendTest {
    private static final long HANDLE = 0;

    private final TlsEngineKind kind;
    private final FakeProactor below = new FakeProactor();
    private final TlsProactor proactor = new TlsProactor(below.proactor(), Clock.SYSTEM);
    private final TlsEngine client;
    private final ByteBuffer fromClient = ByteBuffer.allocateDirect(4 * TlsEngine.RECORD_BYTES_MAX);
    private final FailureLog completions = new FailureLog();

    FailedSendTest(TlsEngineKind kind) throws IOException {
        this.kind = TlsEngines.require(kind);
        client = TestCertificates.client(kind).engine("localhost", 1, new EngineBuffers());
        proactor.secure(HANDLE, TestCertificates.server(this.kind));
    }

    @AfterEach
    void free() throws IOException {
        client.free();
        proactor.close();
    }

    /** Does what the client's engine wants before it takes the next record. */
    private void advanceClient() throws IOException {
        while (client.hasTask() || client.hasOutput()) {
            if (client.hasTask()) {
                client.runTask();
            } else {
                client.wrapOutput(fromClient);
            }
        }
    }

    /** Delivers what the client has to send, and polls until nothing is left to do. */
    private void deliver() throws IOException {
        advanceClient();
        byte[] bytes = new byte[fromClient.flip().remaining()];
        fromClient.get(bytes).clear();
        below.receives(HANDLE, bytes, 0, bytes.length);
        proactor.poll(completions, 0);
        while (proactor.hasWork()) {
            proactor.poll(completions, 0);
        }
    }

    private void completeHandshake() throws IOException {
        ByteBuffer plaintext = ByteBuffer.allocateDirect(4 * TlsEngine.RECORD_BYTES_MAX);
        for (int flight = 0; flight < 4 && (client.isHandshaking() || proactor.info(HANDLE) == null); flight++) {
            deliver();
            byte[] sent = below.sent();
            ByteBuffer records = ByteBuffer.allocateDirect(sent.length).put(sent).flip();
            while (records.hasRemaining()) {
                int length = TlsEngine.HEADER_BYTES + (records.getShort(records.position() + 3) & 0xffff);
                client.unwrap(records.slice(records.position(), length), plaintext);
                records.position(records.position() + length);
                advanceClient();
            }
        }
        assertThat(proactor.info(HANDLE)).as("the handshake is over").isNotNull();
        below.sent();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 13})
    void nothingFollowsARecordOfTheHandshakeThatWasCut(int bytes) throws IOException {
        below.failSendAfter(bytes);
        deliver();
        assertThat(completions.failures).as("the failure is reported once").hasSize(1);
        assertThat(below.sent()).as("no alert, and no further record").hasSize(bytes);
        proactor.close(HANDLE);
        assertThat(below.sent()).isEmpty();
        assertThat(below.wasReset()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 7})
    void nothingFollowsAMessageThatWasCut(int bytes) throws IOException {
        completeHandshake();
        below.failSendAfter(bytes);
        ByteBuffer[] message = {ByteBuffer.allocateDirect(100)};
        assertThatThrownBy(() -> proactor.send(HANDLE, message, 0, 1)).hasMessageContaining("no memory");
        assertThat(below.sent()).hasSize(bytes);
        proactor.close(HANDLE);
        assertThat(below.sent()).as("no close_notify").isEmpty();
        assertThat(below.wasReset()).as("the peer can see that its stream was cut").isTrue();
    }

    /** The message before it was encrypted as a whole, and sent in part. */
    @ParameterizedTest
    @ValueSource(ints = {0, 7})
    void sendThatIsRefusedBehindHeldBytesIsReportedWhenThereIsRoom(int bytes) throws IOException {
        completeHandshake();
        below.acceptOnly(bytes);
        assertThat(proactor.send(HANDLE, new ByteBuffer[]{ByteBuffer.allocateDirect(100)}, 0, 1)).isEqualTo(100);
        assertThat(proactor.send(HANDLE, new ByteBuffer[]{ByteBuffer.allocateDirect(100)}, 0, 1)).isZero();
        below.makeRoom(HANDLE);
        proactor.poll(completions, 0);
        assertThat(completions.reportsOfRoom).isEqualTo(1);
        assertThat(proactor.send(HANDLE, new ByteBuffer[]{ByteBuffer.allocateDirect(100)}, 0, 1)).isEqualTo(100);
    }
}
