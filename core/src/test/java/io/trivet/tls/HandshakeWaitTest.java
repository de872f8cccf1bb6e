package io.trivet.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens to a handshake that waits behind another one. On the test's clock, to answer a first message takes a second. */
@ParameterizedClass
@EnumSource(value = TlsEngineKind.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
final class HandshakeWaitTest {
    private static final long FIRST = 0;
    private static final long SECOND = 1;
    private static final byte HANDSHAKE_RECORD = 22;
    private static final byte ALERT_RECORD = 21;

    private final FakeProactor below = new FakeProactor();
    private long now;
    private final TlsProactor proactor = new TlsProactor(below.proactor(), () -> now);
    private final byte[] hello;

    private final FailureLog completions = new FailureLog();

    /** Answers the first client, while the message of the second one arrives. */
    HandshakeWaitTest(TlsEngineKind kind) throws IOException {
        TlsServer settings = TestCertificates.server(TlsEngines.require(kind));
        proactor.secure(FIRST, settings);
        proactor.secure(SECOND, settings);
        hello = hello(kind);
        below.whenSending = () -> now += Duration.ofSeconds(1).toNanos();
        below.receives(FIRST, hello, 0, hello.length);
        proactor.poll(completions, 0);
        assertThat(below.sent()).as("the answer to the first").startsWith(HANDSHAKE_RECORD);
        below.receives(SECOND, hello, 0, hello.length);
        proactor.poll(completions, 0);
        assertThat(below.sent()).as("the second waits: the step of the first has taken long, and there may be other work")
                .isEmpty();
    }

    private static byte[] hello(TlsEngineKind kind) throws IOException {
        TlsEngine client = TestCertificates.client(kind).engine("localhost", 1, new EngineBuffers());
        ByteBuffer bytes = ByteBuffer.allocateDirect(TlsEngine.RECORD_BYTES_MAX);
        while (client.hasTask() || client.hasOutput()) {
            if (client.hasTask()) {
                client.runTask();
            } else {
                client.wrapOutput(bytes);
            }
        }
        client.free();
        byte[] hello = new byte[bytes.flip().remaining()];
        bytes.get(hello);
        return hello;
    }

    @AfterEach
    void free() throws IOException {
        proactor.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5})
    void itsTimeIsCountedUntilItIsAnswered(int seconds) throws IOException {
        now += Duration.ofSeconds(seconds).toNanos();
        assertThat(Duration.ofNanos(proactor.handshakeWaitedNanos(SECOND))).isEqualTo(Duration.ofSeconds(seconds));
        proactor.poll(completions, -1);
        assertThat(below.sent()).as("nothing else is to be done").startsWith(HANDSHAKE_RECORD);
        now += Duration.ofHours(1).toNanos();
        assertThat(Duration.ofNanos(proactor.handshakeWaitedNanos(SECOND))).as("the peer is to continue")
                .isEqualTo(Duration.ofSeconds(seconds));
        assertThat(completions.failures).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void itIsNotAnsweredIfItsClientHasGone(boolean isServed) throws IOException {
        if (isServed) {
            proactor.poll(completions, -1);
            assertThat(below.sent()).startsWith(HANDSHAKE_RECORD);
        }
        below.ends(SECOND);
        while (proactor.hasWork() || below.hasMore()) {
            proactor.poll(completions, -1);
        }
        assertThat(completions.failures).hasSize(1);
        assertThat(completions.failures.getFirst().handle()).isEqualTo(SECOND);
        assertThat(completions.failures.getFirst().cause()).hasMessage("the peer has closed the connection during the handshake");
        byte[] sent = below.sent();
        assertThat(sent.length == 0 || sent[0] == ALERT_RECORD).as("no answer to the first message").isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, TlsInput.QUEUED_BYTES_MAX})
    void noMoreIsReceivedForItThanAFirstMessageNeeds(int bytes) throws IOException {
        below.receives(SECOND, new byte[bytes], 0, bytes);
        proactor.poll(completions, 0);
        assertThat(below.isReceiving(SECOND)).isEqualTo(bytes < TlsInput.QUEUED_BYTES_MAX);
        assertThat(below.isReceiving(FIRST)).isTrue();
    }
}
