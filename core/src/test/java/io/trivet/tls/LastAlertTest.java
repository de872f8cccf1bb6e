package io.trivet.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Clock;
import io.trivet.net.Completions;
import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A server refuses a client after the client's handshake, which learns that from a failed send before it has received the alert. */
@ParameterizedClass
@EnumSource(value = TlsEngineKind.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
final class LastAlertTest {
    private static final long HANDLE = 0;

    private final TlsEngineKind kind;
    private final FakeProactor below = new FakeProactor();
    private final TlsProactor proactor = new TlsProactor(below.proactor(), Clock.SYSTEM);
    private final EngineBuffers buffers = new EngineBuffers();
    private final List<String> calls = new ArrayList<>();
    private @Nullable IOException failure;
    private final Completions completions = (Completions) Proxy.newProxyInstance(Completions.class.getClassLoader(),
            new Class<?>[]{Completions.class}, (_, method, arguments) -> {
                calls.add(method.getName());
                if (method.getName().equals("failed")) {
                    failure = (IOException) arguments[1];
                }
                return null;
            });

    LastAlertTest(TlsEngineKind kind) {
        this.kind = TlsEngines.require(kind);
    }

    @AfterEach
    void everythingIsFreed() throws IOException {
        proactor.close();
        buffers.close();
        assertThat(OpenSslTlsEngine.live()).isZero();
    }

    private void settle() throws IOException {
        do {
            proactor.poll(completions, 0);
        } while (proactor.hasWork());
    }

    /** Makes the client connect to a server that requires a certificate. Returns the alert of the server. */
    private byte[] alert() throws IOException {
        proactor.secure(HANDLE, TlsClient.builder().authorities(TestCertificates.file("ca.pem")).protocols("TLSv1.3").engine(kind)
                .build().withServerName("localhost"));
        proactor.receive(HANDLE);
        TlsEngine server = TlsServer.builder()
                .certificate(TestCertificates.file("localhost.pem"), TestCertificates.file("localhost.key"))
                .clientAuthentication(ClientAuthentication.REQUIRED, TestCertificates.file("ca.pem")).engine(kind).build()
                .engine(buffers);
        try {
            while (!calls.contains("connected")) {
                settle();
                feed(server, below.sent());
                byte[] flight = output(server);
                below.receives(HANDLE, flight, 0, flight.length);
                settle();
            }
            assertThatThrownBy(() -> {
                feed(server, below.sent());
                output(server);
            }).isInstanceOf(TlsException.class);
            return output(server);
        } finally {
            server.free();
        }
    }

    private static void feed(TlsEngine engine, byte[] bytes) throws IOException {
        ByteBuffer all = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
        ByteBuffer plaintext = ByteBuffer.allocateDirect(2 * TlsEngine.RECORD_BYTES_MAX);
        while (all.hasRemaining()) {
            while (engine.hasTask()) {
                engine.runTask();
            }
            int length = TlsEngine.HEADER_BYTES + (all.getShort(all.position() + 3) & 0xffff);
            engine.unwrap(all.slice(all.position(), length), plaintext);
            all.position(all.position() + length);
        }
    }

    private static byte[] output(TlsEngine engine) throws IOException {
        ByteBuffer output = ByteBuffer.allocateDirect(8 * TlsEngine.RECORD_BYTES_MAX);
        while (engine.hasTask() || engine.hasOutput()) {
            if (engine.hasTask()) {
                engine.runTask();
            } else {
                engine.wrapOutput(output);
            }
        }
        byte[] bytes = new byte[output.flip().remaining()];
        output.get(bytes);
        return bytes;
    }

    private void send() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocateDirect(100);
        proactor.send(HANDLE, new ByteBuffer[]{bytes}, 0, 1);
        assertThat(bytes.hasRemaining()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(value = ErrorCode.class, names = {"EPIPE", "ECONNRESET"})
    void theAlertIsTheFailureAlsoAfterAFailedSend(ErrorCode code) throws IOException {
        byte[] alert = alert();
        below.sendError = code;
        send();
        assertThat(proactor.unsentBytes(HANDLE)).isPositive();
        below.receives(HANDLE, alert, 0, alert.length);
        settle();
        assertThat(failure).isInstanceOf(TlsException.class)
                .hasMessage("the peer has sent the alert certificate_required: it requires a client certificate");
        proactor.reset(HANDLE);
    }

    @ParameterizedTest
    @EnumSource(value = ErrorCode.class, names = {"EPIPE", "ECONNRESET"})
    void withoutAnAlertTheSendIsTheFailure(ErrorCode code) throws IOException {
        alert();
        below.sendError = code;
        send();
        below.ends(HANDLE);
        settle();
        assertThat(calls).containsOnlyOnce("failed").doesNotContain("inputEnded", "inputTruncated");
        assertThat(failure).isInstanceOf(NetworkException.class).hasMessageContaining(code.name());
        proactor.reset(HANDLE);
    }

    @ParameterizedTest
    @EnumSource(value = ErrorCode.class, names = {"EPIPE", "ECONNRESET"})
    void theFailureOfASendIsReportedIfNothingIsReceivedAnyMore(ErrorCode code) throws IOException {
        alert();
        below.sendError = code;
        send();
        proactor.stopReceiving(HANDLE);
        assertThat(proactor.hasWork()).as("the next poll does not wait").isTrue();
        settle();
        assertThat(calls).containsOnlyOnce("failed");
        assertThat(failure).isInstanceOf(NetworkException.class).hasMessageContaining(code.name());
        assertThat(proactor.hasWork()).isFalse();
        proactor.reset(HANDLE);
    }

    @ParameterizedTest
    @EnumSource(value = ErrorCode.class, names = {"EPIPE", "ECONNRESET"})
    void aSendFailsAtOnceIfNothingIsReceived(ErrorCode code) throws IOException {
        alert();
        below.sendError = code;
        proactor.stopReceiving(HANDLE);
        assertThatThrownBy(this::send).isInstanceOf(NetworkException.class).hasMessageContaining(code.name());
        proactor.reset(HANDLE);
    }
}
