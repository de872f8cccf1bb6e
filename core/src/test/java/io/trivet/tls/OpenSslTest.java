package io.trivet.tls;

import static io.trivet.tls.TestCertificates.file;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only the engine of OpenSSL has: native memory, sessions, and keys that change. */
final class OpenSslTest {
    @TempDir private Path directory;
    private final EngineBuffers buffers = new EngineBuffers();
    private final List<TlsEngine> engines = new ArrayList<>();

    @BeforeEach
    void openSslIsAvailable() {
        TlsEngines.require(TlsEngineKind.OPENSSL);
    }

    @AfterEach
    void everythingIsFreed() {
        engines.forEach(TlsEngine::free);
        buffers.close();
        assertThat(OpenSslTlsEngine.live()).isZero();
    }

    private EnginePair handshake(TlsClient client, TlsServer server) throws IOException {
        TlsEngine itsClient = client.engine("localhost", 1, buffers);
        engines.add(itsClient);
        TlsEngine itsServer = server.engine(buffers);
        engines.add(itsServer);
        return EnginePair.handshake(itsClient, itsServer);
    }

    private static TlsServer server() {
        return TestCertificates.server(TlsEngineKind.OPENSSL);
    }

    private static TlsClient client() {
        return TestCertificates.client(TlsEngineKind.OPENSSL);
    }

    private static void send(TlsEngine from, TlsEngine to, int bytes) throws IOException {
        ByteBuffer ciphertext = ByteBuffer.allocateDirect(4 * TlsEngine.RECORD_BYTES_MAX);
        ByteBuffer plaintext = ByteBuffer.allocateDirect(4 * TlsEngine.RECORD_BYTES_MAX);
        assertThat(from.wrap(new ByteBuffer[]{ByteBuffer.allocateDirect(bytes)}, 0, 1, ciphertext)).isEqualTo(bytes);
        ciphertext.flip();
        while (ciphertext.hasRemaining()) {
            int length = TlsEngine.HEADER_BYTES + (ciphertext.getShort(ciphertext.position() + 3) & 0xffff);
            assertThat(to.unwrap(ciphertext.slice(ciphertext.position(), length), plaintext)).isTrue();
            ciphertext.position(ciphertext.position() + length);
        }
        assertThat(plaintext.position()).isEqualTo(bytes);
    }

    private static OpenSslContext context(LoadedContext loaded) {
        return ((OpenSslContext.Lease) loaded).context;
    }

    @Test
    void aReplacedContextIsFreedWithItsLastConnection() throws IOException {
        Path chain = Files.copy(file("localhost.pem"), directory.resolve("chain.pem"), StandardCopyOption.REPLACE_EXISTING);
        Path key = Files.copy(file("localhost.key"), directory.resolve("key.pem"), StandardCopyOption.REPLACE_EXISTING);
        TlsServer server = TlsServer.builder().certificate(chain, key).engine(TlsEngineKind.OPENSSL).build();
        TlsClient client = TlsClient.builder().authorities(file("ca.pem")).engine(TlsEngineKind.OPENSSL).build();
        OpenSslContext first = context(server.context.current());
        EnginePair pair = handshake(client, server);
        server.reload();
        OpenSslContext second = context(server.context.current());
        assertThat(second).isNotSameAs(first);
        assertThat(first.isLive()).isTrue();
        send(pair.client(), pair.server(), 100);
        Files.writeString(key, "no key");
        assertThatThrownBy(server::reload).isInstanceOf(IOException.class);
        assertThat(context(server.context.current())).isSameAs(second);
        pair.server().free();
        assertThat(first.isLive()).isFalse();
        assertThat(first.retain()).isFalse();
        assertThat(second.isLive()).isTrue();
        OpenSslContext ofClient = context(client.settings.context.current());
        for (int i = 0; i < 100; i++) {
            OpenSslContext before = context(client.settings.context.current());
            client.reload();
            assertThat(before.isLive()).isEqualTo(i == 0); // the first one has a connection
        }
        pair.client().free();
        assertThat(ofClient.isLive()).isFalse();
    }

    @Test
    void unreachableSettingsAreFreed() {
        OpenSslContext context = context(server().context.current());
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (context.isLive()) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            System.gc();
        }
    }

    @Test
    void aClientResumesItsSessionOnce() throws IOException {
        for (String protocol : List.of("TLSv1.3", "TLSv1.2")) {
            TlsServer server = TlsServer.builder().certificate(file("localhost.pem"), file("localhost.key")).protocols(protocol)
                    .engine(TlsEngineKind.OPENSSL).build();
            TlsClient client = client();
            EnginePair first = handshake(client, server);
            assertThat(((OpenSslTlsEngine) first.client()).isResumed()).isFalse();
            first.client().free();
            EnginePair second = handshake(client, server);
            assertThat(((OpenSslTlsEngine) second.client()).isResumed()).as(protocol).isTrue();
            assertThat(((OpenSslTlsEngine) second.server()).isResumed()).isTrue();
            assertThat(second.client().info()).isEqualTo(first.client().info());
            EnginePair third = handshake(client, server); // while the second is open, its session is in use
            assertThat(((OpenSslTlsEngine) third.client()).isResumed()).isFalse();
            second.client().free();
            server.reload();
            assertThat(((OpenSslTlsEngine) handshake(client, server).client()).isResumed()).isFalse();
        }
    }

    @Test
    void theKeyOfTheOutputChangesBeforeItIsWornOut() throws IOException {
        EnginePair pair = handshake(client(), server());
        ByteBuffer ciphertext = ByteBuffer.allocateDirect(2 * TlsEngine.RECORD_BYTES_MAX);
        OpenSslTlsEngine engine = (OpenSslTlsEngine) pair.client();
        engine.wrap(new ByteBuffer[]{ByteBuffer.allocateDirect(1)}, 0, 1, ciphertext);
        int record = ciphertext.position();
        assertThat(pair.server().unwrap(ciphertext.flip(), ByteBuffer.allocateDirect(TlsEngine.RECORD_BYTES_MAX))).isTrue();
        engine.recordsWithKey = OpenSslTlsEngine.RECORDS_PER_KEY - 1;
        ciphertext.clear();
        engine.wrap(new ByteBuffer[]{ByteBuffer.allocateDirect(1)}, 0, 1, ciphertext);
        assertThat(ciphertext.position()).isGreaterThan(record); // a KeyUpdate and the record
        ciphertext.flip();
        ByteBuffer plaintext = ByteBuffer.allocateDirect(TlsEngine.RECORD_BYTES_MAX);
        while (ciphertext.hasRemaining()) {
            int length = TlsEngine.HEADER_BYTES + (ciphertext.getShort(ciphertext.position() + 3) & 0xffff);
            assertThat(pair.server().unwrap(ciphertext.slice(ciphertext.position(), length), plaintext)).isTrue();
            ciphertext.position(ciphertext.position() + length);
        }
        assertThat(plaintext.position()).isEqualTo(1);
        send(pair.client(), pair.server(), 1000);
        send(pair.server(), pair.client(), 1000);
    }

    @Test
    void aHandshakeInSmallFragmentsIsCompleted() throws IOException {
        TlsEngine client = client().engine("localhost", 1, buffers);
        engines.add(client);
        TlsEngine server = server().engine(buffers);
        engines.add(server);
        client.runTask();
        ByteBuffer hello = ByteBuffer.allocateDirect(TlsEngine.RECORD_BYTES_MAX);
        client.wrapOutput(hello);
        hello.flip().position(TlsEngine.HEADER_BYTES);
        ByteBuffer plaintext = ByteBuffer.allocateDirect(TlsEngine.RECORD_BYTES_MAX);
        while (hello.hasRemaining()) {
            byte[] part = new byte[Math.min(11, hello.remaining())];
            hello.get(part);
            ByteBuffer record = ByteBuffer.allocateDirect(TlsEngine.HEADER_BYTES + part.length).put((byte) 22)
                    .putShort((short) 0x301)
                    .putShort((short) part.length).put(part).flip();
            server.unwrap(record, plaintext);
            server.runTask();
            assertThat(server.hasOutput()).isEqualTo(!hello.hasRemaining());
        }
        EnginePair.handshake(client, server);
        assertThat(server.isHandshaking()).isFalse();
    }

    @Test
    void bothEnginesUnderstandEachOther() throws IOException {
        for (String protocol : List.of("TLSv1.3", "TLSv1.2")) {
            for (TlsEngineKind kind : List.of(TlsEngineKind.JDK, TlsEngineKind.OPENSSL)) {
                TlsEngineKind other = kind == TlsEngineKind.JDK ? TlsEngineKind.OPENSSL : TlsEngineKind.JDK;
                TlsServer server = TlsServer.builder().certificate(file("rsa.pem"), file("rsa.key"))
                        .certificate(file("localhost.pem"), file("localhost.key"))
                        .clientAuthentication(ClientAuthentication.REQUIRED, file("ca.pem")).applicationProtocols("x", "y")
                        .protocols(protocol).engine(other).build();
                TlsClient client = TlsClient.builder().authorities(file("ca.pem"))
                        .certificate(file("client.pem"), file("client.key"))
                        .applicationProtocols("y").engine(kind).build();
                EnginePair pair = handshake(client, server);
                TlsInfo info = pair.server().info();
                assertThat(info.peerCertificates()).isEqualTo(List.of(PemFile.certificates(file("client.pem")).getFirst()));
                assertThat(info.applicationProtocol()).isEqualTo("y");
                assertThat(info.protocol()).isEqualTo(protocol).isEqualTo(pair.client().info().protocol());
                assertThat(info.cipherSuite()).isEqualTo(pair.client().info().cipherSuite());
                assertThat(pair.client().info().peerCertificates()).hasSize(1);
                send(pair.client(), pair.server(), 16_000);
                send(pair.server(), pair.client(), 16_000);
            }
        }
    }

    @Test
    void theAutomaticChoiceSaysWhy() throws Exception {
        TlsServer pem = TlsServer.of(file("localhost.pem"), file("localhost.key"));
        assertThat(pem.chosenEngine().name()).isEqualTo("openssl");
        assertThat(pem.chosenEngine().remark()).matches("OpenSSL 3\\..+, chosen automatically");
        assertThat(TlsEngineKind.engines().getFirst().name()).isEqualTo("openssl");
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        TlsClient keyStore = TlsClient.builder().keyStore(store, new char[0]).build();
        assertThat(keyStore.chosenEngine().name()).isEqualTo("jdk");
        assertThat(keyStore.chosenEngine().remark())
                .endsWith(", chosen automatically, since the engine openssl does not support a key store");
        TlsClient old = TlsClient.builder().protocols("TLSv1.2", "TLSv1.1").build();
        assertThat(old.chosenEngine().remark()).endsWith("does not support versions other than TLSv1.2 and TLSv1.3");
    }

    @Test
    void theAuthoritiesOfATrustStoreAreTrusted() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("ca", PemFile.certificates(file("ca.pem")).getFirst());
        TlsClient trusting = TlsClient.builder().authorities(store).engine(TlsEngineKind.OPENSSL).build();
        assertThat(handshake(trusting, server()).client().info().peerCertificates()).hasSize(1);
        TlsClient ofTheJdk = TlsClient.builder().engine(TlsEngineKind.OPENSSL).build();
        assertThatThrownBy(() -> handshake(ofTheJdk, server())).isInstanceOf(TlsException.class)
                .hasMessage("the certificate of the peer is not trusted: unable to get local issuer certificate");
    }
}
