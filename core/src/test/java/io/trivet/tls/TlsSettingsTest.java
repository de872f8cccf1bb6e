package io.trivet.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Slowness;
import io.trivet.tls.TlsEngines.Failure;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Certificates and keys from files: what can be used, and what errors say. */
@ParameterizedClass
@EnumSource(value = TlsEngineKind.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
final class TlsSettingsTest {
    private final TlsEngineKind kind;
    private final EngineBuffers buffers = new EngineBuffers();

    @TempDir private Path directory;

    TlsSettingsTest(TlsEngineKind kind) {
        this.kind = TlsEngines.require(kind);
    }

    @AfterEach
    void everythingIsFreed() {
        buffers.close();
        assertThat(OpenSslTlsEngine.live()).isZero();
    }

    private TlsServer.Builder server() {
        return TlsServer.builder().engine(kind);
    }

    private TlsServer server(Path chain, Path key) throws IOException {
        return server().certificate(chain, key).build();
    }

    private TlsClient.Builder client() {
        return TlsClient.builder().engine(kind);
    }

    private static Path file(String name) {
        return TestCertificates.file(name);
    }

    @Test
    void keysOfAllFormatsAreRead() throws IOException {
        assertThat(server(file("localhost.pem"), file("localhost.key"))).isNotNull();
        assertThat(server(file("localhost.pem"), file("localhost-sec1.key"))).isNotNull();
        assertThat(server(file("rsa.pem"), file("rsa.key"))).isNotNull();
        assertThat(server(file("rsa.pem"), file("rsa-pkcs1.key"))).isNotNull();
        TlsServer encrypted = server()
                .certificate(file("localhost.pem"), file("localhost-encrypted.key"), "secret".toCharArray()).build();
        assertThat(encrypted.toString()).contains("localhost.pem").doesNotContain("secret");
    }

    @Test
    void errorsNameTheFileAndWhatIsWrongWithIt() throws IOException {
        fails("localhost.pem", "missing.key", "missing.key", "does not exist");
        fails("missing.pem", "localhost.key", "missing.pem", "does not exist");
        fails("localhost.key", "localhost.key", "localhost.key", "has no certificate", "it has only: PRIVATE KEY");
        fails("localhost.pem", "localhost.pem", "localhost.pem", "has no private key", "it has only: CERTIFICATE");
        fails("localhost.pem", "example.key", "example.key", "does not belong to the first certificate in");
        fails("localhost.pem", "rsa.key", "rsa.key", "does not belong to the first certificate in");
        fails("localhost.pem", "localhost-encrypted.key", "localhost-encrypted.key", "is encrypted, and no password was given");
        fails("rsa.pem", "rsa-old-encrypted.key", "rsa-old-encrypted.key", "OpenSSL's old format", "openssl pkey -in");
        assertThatThrownBy(() -> server()
                .certificate(file("localhost.pem"), file("localhost-encrypted.key"), "wrong".toCharArray()).build())
                .isInstanceOf(FileSystemException.class).hasMessageContaining("the password is wrong")
                .hasMessageNotContaining("wrong\"");
        Path broken = Files.writeString(directory.resolve("broken.pem"),
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        assertThatThrownBy(() -> server(broken, file("localhost.key"))).hasMessageContaining("broken.pem")
                .hasMessageContaining("certificate 1 in it is broken");
        Path brokenKey = Files.writeString(directory.resolve("broken.key"),
                "-----BEGIN EC PRIVATE KEY-----\nMIIBAAA=\n-----END EC PRIVATE KEY-----\n");
        assertThatThrownBy(() -> server(file("localhost.pem"), brokenKey)).hasMessageContaining("broken.key")
                .hasMessageContaining("is broken, or does not name its curve");
        for (String name : List.of("localhost.pem", "localhost.key")) {
            String whole = Files.readString(file(name));
            Path truncated = directory.resolve("truncated-" + name);
            boolean isKey = name.endsWith(".key");
            for (String text : List.of(whole + "-----BEGIN CERTIFICATE-----\nMII", whole + "-----BEGIN CERTI",
                    whole.substring(0, whole.length() / 2), whole.substring(0, whole.length() / 2) + "\n" + whole)) {
                Files.writeString(truncated, text);
                assertThatThrownBy(
                        () -> server(isKey ? file("localhost.pem") : truncated, isKey ? truncated : file("localhost.key")))
                        .isInstanceOf(FileSystemException.class).hasMessageContaining(truncated.toString())
                        .hasMessageContaining("begins but does not end: the file is half-written or truncated");
            }
            if (!isKey) {
                Files.writeString(truncated, whole + "-----BEGIN CERTIFICATE-----\nMII");
                assertThatThrownBy(() -> client().authorities(truncated).build()).hasMessageContaining("begins but does not end");
            }
        }
        assertThatThrownBy(() -> server(directory, brokenKey)).hasMessageContaining("is a directory");
        assertThatThrownBy(() -> server().build()).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(
                () -> server().certificate(file("localhost.pem"), file("localhost.key")).protocols("TLSv9").build())
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("TLSv9");
    }

    private void fails(String chain, String key, String... message) {
        assertThatThrownBy(() -> server(file(chain), file(key))).isInstanceOf(FileSystemException.class)
                .hasMessageContainingAll(message).message().doesNotContain("\n");
    }

    @Test
    void aBadNewFileKeepsTheOldCertificate() throws IOException {
        Path chain = copy("localhost.pem", "chain.pem");
        Path key = copy("localhost.key", "key.pem");
        TlsServer server = server(chain, key);
        TlsClient client = client().authorities(file("ca.pem")).withoutHostNameVerification().build();
        X509Certificate first = certificate(client, server, "localhost");
        copy("example.pem", "chain.pem");
        assertThatThrownBy(server::reload).isInstanceOf(FileSystemException.class).hasMessageContaining("key.pem")
                .hasMessageContaining("does not belong");
        assertThat(certificate(client, server, "localhost")).isEqualTo(first);
        copy("example.key", "key.pem");
        server.reload();
        assertThat(certificate(client, server, "localhost").getSubjectX500Principal().getName()).isEqualTo("CN=example");
    }

    @Test
    void changedFilesAreReadAgainAndABadOneIsReportedOnce() throws IOException {
        Path chain = copy("localhost.pem", "chain.pem");
        Path key = copy("localhost.key", "key.pem");
        TlsServer server = server(chain, key);
        TlsClient client = client().authorities(file("ca.pem")).withoutHostNameVerification().build();
        assertThat(server.reloadIfChanged()).isFalse();
        replace("example.pem", chain);
        assertThatThrownBy(server::reloadIfChanged).isInstanceOf(FileSystemException.class)
                .hasMessageContaining("does not belong");
        assertThat(server.reloadIfChanged()).as("reported once").isFalse();
        assertThat(certificate(client, server, "localhost").getSubjectX500Principal().getName()).isEqualTo("CN=localhost");
        replace("example.key", key);
        assertThat(server.reloadIfChanged()).isTrue();
        assertThat(certificate(client, server, "localhost").getSubjectX500Principal().getName()).isEqualTo("CN=example");
        assertThat(server.reloadIfChanged()).isFalse();
        Files.delete(key);
        assertThatThrownBy(server::reloadIfChanged).isInstanceOf(FileSystemException.class)
                .hasMessageContaining("does not exist");
        assertThat(server.reloadIfChanged()).isFalse();
        copy("example.key", "key.pem");
        assertThat(server.reloadIfChanged()).as("there again").isTrue();
    }

    @Test
    void permissionsAreAChange() throws IOException {
        Path chain = copy("localhost.pem", "chain.pem");
        Path key = copy("localhost.key", "key.pem");
        assumeTrue(key.getFileSystem().supportedFileAttributeViews().contains("unix"), "files have no owner here");
        FileStamps stamps = new FileStamps(List.of(chain, key));
        assertThat(stamps.haveChanged()).isFalse();
        Object before = Files.getAttribute(key, "unix:ctime");
        while (before.equals(Files.getAttribute(key, "unix:ctime"))) { // until the kernel's clock has moved
            Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("r--r-----"));
        }
        assertThat(stamps.haveChanged()).isTrue();
    }

    @Test
    void anExceptionOfTheApplicationDoesNotEndTheWatch() throws Exception {
        Path chain = copy("localhost.pem", "chain.pem");
        Path key = copy("localhost.key", "key.pem");
        TlsServer server = server(chain, key);
        BlockingQueue<String> outcomes = new LinkedBlockingQueue<>();
        try (FileWatch _ = server.watchFiles(Duration.ofMillis(1), failure -> {
            outcomes.add(failure == null ? "reloaded" : failure.getMessage());
            throw new IllegalStateException("deliberate");
        })) {
            replace("example.pem", chain);
            assertThat(outcomes.poll(Slowness.scaled(Duration.ofSeconds(30)).toSeconds(), TimeUnit.SECONDS))
                    .contains("does not belong");
            replace("example.key", key);
            assertThat(outcomes.poll(Slowness.scaled(Duration.ofSeconds(30)).toSeconds(), TimeUnit.SECONDS))
                    .isEqualTo("reloaded");
        }
    }

    /** Replaces a file by a rename, without changing its time. */
    private void replace(String from, Path to) throws IOException {
        Path next = copy(from, "next");
        Files.setLastModifiedTime(next, Files.getLastModifiedTime(to));
        Files.move(next, to, StandardCopyOption.ATOMIC_MOVE);
    }

    /** As Kubernetes does: the files are links to {@code ..data/…}, and {@code ..data} is a link that is replaced by a rename. */
    @Test
    void aLinkThatIsReplacedIsAChange() throws IOException {
        for (String[] version : new String[][]{{"v1", "localhost"}, {"v2", "example"}}) {
            Path to = Files.createDirectory(directory.resolve(version[0]));
            Files.copy(file(version[1] + ".pem"), to.resolve("tls.crt"));
            Files.copy(file(version[1] + ".key"), to.resolve("tls.key"));
        }
        Path data = Files.createSymbolicLink(directory.resolve("..data"), Path.of("v1"));
        Path chain = Files.createSymbolicLink(directory.resolve("tls.crt"), Path.of("..data", "tls.crt"));
        Path key = Files.createSymbolicLink(directory.resolve("tls.key"), Path.of("..data", "tls.key"));
        TlsServer server = server(chain, key);
        Files.move(Files.createSymbolicLink(directory.resolve("..tmp"), Path.of("v2")), data, StandardCopyOption.ATOMIC_MOVE);
        assertThat(server.reloadIfChanged()).isTrue();
        TlsClient client = client().authorities(file("ca.pem")).withoutHostNameVerification().build();
        assertThat(certificate(client, server, "localhost").getSubjectX500Principal().getName()).isEqualTo("CN=example");
    }

    @Test
    void watchedFilesAreReadAgainWhenTheyChange() throws Exception {
        Path chain = copy("localhost.pem", "chain.pem");
        Path key = copy("localhost.key", "key.pem");
        TlsServer server = server(chain, key);
        BlockingQueue<String> outcomes = new LinkedBlockingQueue<>();
        try (FileWatch watch = server.watchFiles(Duration.ofMillis(1),
                failure -> outcomes.add(failure == null ? "reloaded" : failure.getMessage()))) {
            assertThat(watch).isNotNull();
            replace("example.pem", chain);
            assertThat(outcomes.poll(Slowness.scaled(Duration.ofSeconds(30)).toSeconds(), TimeUnit.SECONDS))
                    .contains("does not belong");
            replace("example.key", key);
            assertThat(outcomes.poll(Slowness.scaled(Duration.ofSeconds(30)).toSeconds(), TimeUnit.SECONDS))
                    .isEqualTo("reloaded");
        }
        assertThatThrownBy(() -> server.watchFiles(Duration.ZERO, failure -> {})).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aClientReadsItsChangedFilesAgainAndReportsABadOneOnce() throws IOException {
        Path authorities = copy("other-ca.pem", "authorities.pem");
        TlsServer server = server(file("localhost.pem"), file("localhost.key"));
        TlsClient client = client().authorities(authorities).build();
        TlsClient named = client.withServerName("localhost");
        assertThat(client.reloadIfChanged()).isFalse();
        refuses(named, server, "localhost", TlsEngines.text(kind, Failure.UNTRUSTED));
        replace("ca.pem", authorities);
        assertThat(client.reloadIfChanged()).isTrue();
        assertThat(handshake(named, server, "localhost")).as("with the copy").isNotNull();
        replace("localhost.key", authorities);
        assertThatThrownBy(named::reloadIfChanged).isInstanceOf(FileSystemException.class)
                .hasMessageContaining("authorities.pem").hasMessageContaining("has no certificate");
        assertThat(client.reloadIfChanged()).as("reported once").isFalse();
        assertThat(handshake(client, server, "localhost")).as("with the old authorities").isNotNull();
        replace("other-ca.pem", authorities);
        assertThat(client.reloadIfChanged()).isTrue();
        refuses(client, server, "localhost", TlsEngines.text(kind, Failure.UNTRUSTED));
        TlsClient withoutFiles = client().build();
        assertThatThrownBy(withoutFiles::reloadIfChanged).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> withoutFiles.watchFiles(Duration.ofSeconds(1), failure -> {}))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aClientWatchesItsCertificateAndKey() throws Exception {
        Path chain = copy("client.pem", "chain.pem");
        Path key = copy("client.key", "key.pem");
        TlsClient client = client().authorities(file("ca.pem")).certificate(chain, key).build();
        BlockingQueue<String> outcomes = new LinkedBlockingQueue<>();
        try (FileWatch _ = client.watchFiles(Duration.ofMillis(1),
                failure -> outcomes.add(failure == null ? "reloaded" : failure.getMessage()))) {
            replace("example.pem", chain);
            assertThat(outcomes.poll(Slowness.scaled(Duration.ofSeconds(30)).toSeconds(), TimeUnit.SECONDS))
                    .contains("key.pem").contains("does not belong");
            replace("example.key", key);
            assertThat(outcomes.poll(Slowness.scaled(Duration.ofSeconds(30)).toSeconds(), TimeUnit.SECONDS))
                    .isEqualTo("reloaded");
        }
    }

    @Test
    void theServerNameChoosesTheCertificate() throws IOException {
        TlsServer server = server().certificate(file("localhost.pem"), file("localhost.key"))
                .certificate(file("example.pem"), file("example.key")).build();
        TlsClient client = client().authorities(file("ca.pem")).withoutHostNameVerification().build();
        for (List<String> names : List.of(List.of("localhost", "CN=localhost"), List.of("example.test", "CN=example"),
                List.of("www.EXAMPLE.test", "CN=example"), List.of("a.b.example.test", "CN=localhost"),
                List.of("unknown.test", "CN=localhost"), List.of("127.0.0.1", "CN=localhost"))) {
            assertThat(certificate(client, server, names.getFirst()).getSubjectX500Principal().getName()).as(names.getFirst())
                    .isEqualTo(names.getLast());
        }
    }

    @Test
    void applicationProtocolsAreNegotiated() throws IOException {
        TlsServer server = server().certificate(file("localhost.pem"), file("localhost.key"))
                .applicationProtocols("b", "a").build();
        TlsClient both = client().authorities(file("ca.pem")).applicationProtocols("a", "b").build();
        assertThat(handshake(both, server, "localhost").applicationProtocol()).isEqualTo("b");
        TlsClient none = client().authorities(file("ca.pem")).build();
        assertThat(handshake(none, server, "localhost").applicationProtocol()).isNull();
        TlsClient other = client().authorities(file("ca.pem")).applicationProtocols("c").build();
        assertThatThrownBy(() -> handshake(other, server, "localhost")).isInstanceOf(TlsException.class);
    }

    @Test
    void certificatesOfAnotherAuthorityOrNameOrTimeAreRefused() throws IOException {
        TlsClient client = TestCertificates.client(kind);
        refuses(client, server(file("untrusted.pem"), file("untrusted.key")), "localhost",
                TlsEngines.text(kind, Failure.UNTRUSTED));
        refuses(client, server(file("expired.pem"), file("expired.key")), "localhost", TlsEngines.text(kind, Failure.EXPIRED));
        refuses(client, TestCertificates.server(kind), "elsewhere.test", "elsewhere.test");
        refuses(client, TestCertificates.server(kind), "127.0.0.2", "127.0.0.2");
        assertThat(handshake(client, TestCertificates.server(kind), "127.0.0.1")).isNotNull();
    }

    private void refuses(TlsClient client, TlsServer server, String name, String reason) {
        assertThatThrownBy(() -> handshake(client, server, name)).isInstanceOf(TlsException.class).hasMessageContaining(reason);
    }

    @Test
    void aKeyStoreCanBeUsedInsteadOfFiles() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("it", PemFile.privateKey(file("localhost.key"), null), "p".toCharArray(),
                PemFile.certificates(file("localhost.pem")).toArray(X509Certificate[]::new));
        TlsServer.Builder builder = server().keyStore(store, "p".toCharArray());
        if (kind == TlsEngineKind.OPENSSL) {
            assertThatThrownBy(builder::build).isInstanceOf(IllegalStateException.class)
                    .hasMessage("the TLS engine openssl does not support a key store: use PEM files, or the engine jdk");
            assertThatThrownBy(
                    server().certificate(file("localhost.pem"), file("localhost.key")).secureRandom(new SecureRandom())::build)
                    .isInstanceOf(IllegalStateException.class).hasMessageContaining("does not support a source of randomness");
            return;
        }
        TlsServer server = builder.build();
        assertThat(handshake(TestCertificates.client(kind), server, "localhost")).isNotNull();
        assertThatThrownBy(server::reload).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void settingsThatWouldBeIgnoredAreRefused() throws Exception {
        SSLContext context = SSLContext.getDefault();
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (TlsServer.Builder builder : List.of(
                TlsServer.builder().context(context).certificate(file("localhost.pem"), file("localhost.key")),
                TlsServer.builder().context(context).keyStore(store, new char[0]),
                TlsServer.builder().context(context).secureRandom(new SecureRandom()),
                TlsServer.builder().context(context).clientAuthentication(ClientAuthentication.REQUIRED, file("ca.pem")),
                TlsServer.builder().context(context).clientAuthentication(ClientAuthentication.REQUIRED, store))) {
            assertThatThrownBy(builder::build).isInstanceOf(IllegalStateException.class)
                    .hasMessage("an SSLContext has keys, trusted authorities and randomness of its own: set either it, or "
                            + "certificates, authorities and randomness");
        }
        for (TlsClient.Builder builder : List.of(
                TlsClient.builder().context(context).authorities(file("ca.pem")),
                TlsClient.builder().context(context).authorities(store))) {
            assertThatThrownBy(builder::build).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("an SSLContext has");
        }
        assertThatThrownBy(TlsServer.builder().keyStore(store, new char[0])
                .certificate(file("localhost.pem"), file("localhost.key"))::build).isInstanceOf(IllegalStateException.class)
                .hasMessage("set either a key store or certificates, not both");
        assertThat(TlsServer.builder().context(context).build()).isNotNull();
    }

    private Path copy(String from, String to) throws IOException {
        return Files.copy(file(from), directory.resolve(to), StandardCopyOption.REPLACE_EXISTING);
    }

    private X509Certificate certificate(TlsClient client, TlsServer server, String name) throws IOException {
        return handshake(client, server, name).peerCertificates().getFirst();
    }

    private TlsInfo handshake(TlsClient client, TlsServer server, String name) throws IOException {
        TlsEngine itsClient = client.engine(name, 1, buffers);
        TlsEngine itsServer = server.engine(buffers);
        try {
            return EnginePair.handshake(itsClient, itsServer).client().info();
        } finally {
            itsClient.free();
            itsServer.free();
        }
    }
}
