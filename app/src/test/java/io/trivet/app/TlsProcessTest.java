package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code trivet serve} and {@code trivet connect} with TLS, as processes, with the commands of docs/tls.md. */
@ParameterizedClass
@ValueSource(strings = {"jdk", "openssl"})
@EnabledOnOs(OS.LINUX)
final class TlsProcessTest {
    private static final String PASSWORD = "a secret of the key";

    private final String engine;
    @TempDir private Path directory;

    TlsProcessTest(String engine) {
        this.engine = engine;
    }

    private String file(String name) {
        return directory.resolve(name).toString();
    }

    @BeforeEach
    void makeCertificates() throws Exception {
        for (String ca : List.of("ca", "other")) {
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                    "/CN=Test authority", "-keyout", ca + ".key", "-out", ca + ".pem");
        }
        Files.writeString(directory.resolve("server.ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1");
        for (String name : List.of("server", "client", "next")) {
            openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name, "-keyout",
                    name + ".key", "-out", name + ".csr");
            openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
                    "-extfile", "server.ext", "-out", name + ".pem");
        }
    }

    private void openssl(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("openssl"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    /** Starts a server. The options replace those of its certificate and key. */
    private Program serve(String... more) throws IOException {
        List<String> options = List.of(more);
        List<String> arguments = new ArrayList<>(List.of("serve", "--port", "0", "--tls-engine", engine));
        if (!options.contains("--tls-cert")) {
            arguments.addAll(List.of("--tls-cert", file("server.pem")));
        }
        if (!options.contains("--tls-key")) {
            arguments.addAll(List.of("--tls-key", file("server.key")));
        }
        arguments.addAll(options);
        return Program.trivet(arguments.toArray(String[]::new));
    }

    private static String target(Program serve) throws InterruptedException {
        String line = serve.awaitErr(text -> text.startsWith("listening on "));
        return "localhost:" + line.substring(line.lastIndexOf(':') + 1);
    }

    @Test
    void aClientGetsItsEchoAndVerifiesTheServer() throws Exception {
        try (Program serve = serve()) {
            String target = target(serve);
            assertThat(serve.err())
                    .anyMatch(line -> line.startsWith("TLS engine " + engine + ": ") && line.endsWith(", as requested"));
            try (Program good = Program.trivet("connect", target, "--tls", "--tls-engine", engine, "--tls-ca", file("ca.pem"),
                    "--send", "hello")) {
                assertThat(good.exitCode()).as("errors: %s", good.err()).isZero();
                assertThat(good.out()).isEqualTo("hello");
            }
            try (Program untrusted = Program.trivet("connect", target, "--tls", "--tls-engine", engine, "--tls-ca",
                    file("other.pem"), "--send", "x");
                    Program wrongName = Program.trivet("connect", target, "--tls", "--tls-engine", engine, "--tls-ca",
                            file("ca.pem"),
                            "--tls-server-name",
                            "elsewhere.test", "--send", "x")) {
                assertThat(untrusted.exitCode()).isEqualTo(1);
                assertThat(untrusted.err()).last().asString()
                        .contains("the TLS handshake failed")
                        .contains(engine.equals("jdk") ? "certificate_unknown" : "unable to get local issuer certificate");
                assertThat(wrongName.exitCode()).isEqualTo(1);
                assertThat(wrongName.err()).last().asString()
                        .contains("the TLS handshake failed").contains("elsewhere.test");
            }
        }
    }

    @Test
    void clientsNeedACertificateIfTheServerSaysSo() throws Exception {
        try (Program serve = serve("--tls-client-ca", file("ca.pem"))) {
            String target = target(serve);
            try (Program with = Program.trivet("connect", target, "--tls", "--tls-engine", engine, "--tls-ca", file("ca.pem"),
                    "--tls-cert",
                    file("client.pem"),
                    "--tls-key", file("client.key"), "--send", "hello");
                    Program without = Program.trivet("connect", target, "--tls", "--tls-engine", engine, "--tls-ca",
                            file("ca.pem"), "--send", "hello")) {
                assertThat(with.exitCode()).as("errors: %s", with.err()).isZero();
                assertThat(with.out()).isEqualTo("hello");
                assertThat(without.exitCode()).isEqualTo(1);
            }
        }
    }

    @Test
    void sighupReloadsTheCertificateAndKeepsItIfTheNewOneIsBad() throws Exception {
        try (Program serve = serve()) {
            target(serve);
            Files.copy(directory.resolve("next.pem"), directory.resolve("server.pem"), StandardCopyOption.REPLACE_EXISTING);
            serve.signal("HUP");
            assertThat(serve.awaitErr(line -> line.startsWith("SIGHUP")))
                    .contains("stays as it was").contains("server.key: its key does not belong to the first certificate");
            Files.copy(directory.resolve("next.key"), directory.resolve("server.key"), StandardCopyOption.REPLACE_EXISTING);
            serve.signal("HUP");
            serve.awaitErr(line -> line.startsWith("SIGHUP: the certificate was read again"));
        }
    }

    @Test
    void changedFilesAreReadAgainWithoutASignal() throws Exception {
        try (Program serve = serve("--tls-reload-interval", "10ms")) {
            target(serve);
            Files.move(directory.resolve("next.pem"), directory.resolve("server.pem"), StandardCopyOption.REPLACE_EXISTING);
            assertThat(serve.awaitErr(line -> line.startsWith("the TLS files have changed")))
                    .contains("stays as it was").contains("server.key: its key does not belong to the first certificate");
            Files.move(directory.resolve("next.key"), directory.resolve("server.key"), StandardCopyOption.REPLACE_EXISTING);
            serve.awaitErr(line -> line.startsWith("the TLS files have changed: the certificate was read again"));
            assertThat(serve.err().stream().filter(line -> line.contains("stays as it was"))).as("reported once").hasSize(1);
        }
    }

    @Test
    void encryptedKeysAreUsedWithTheirPassword() throws Exception {
        for (String name : List.of("server", "client")) {
            openssl("pkcs8", "-topk8", "-in", name + ".key", "-out", name + "-encrypted.key", "-passout", "pass:" + PASSWORD);
        }
        Path password = password(PASSWORD + "\nnot the password\n");
        try (Program serve = serve("--tls-key", file("server-encrypted.key"), "--tls-key-password-file", password.toString(),
                "--tls-client-ca", file("ca.pem"));
                Program connect = Program.trivet("connect", target(serve), "--tls", "--tls-engine", engine, "--tls-ca",
                        file("ca.pem"), "--tls-cert", file("client.pem"), "--tls-key", file("client-encrypted.key"),
                        "--tls-key-password-file", password.toString(), "--send", "hello")) {
            assertThat(connect.exitCode()).as("errors: %s", connect.err()).isZero();
            assertThat(connect.out()).isEqualTo("hello");
            serve.signal("HUP");
            serve.awaitErr(line -> line.startsWith("SIGHUP: the certificate was read again"));
            assertThat(serve.err()).noneMatch(line -> line.contains(PASSWORD) || line.startsWith("warning"));
        }
        try (Program unusable = serve("--tls-key", file("server-encrypted.key"), "--tls-key-password-file",
                directory.toString())) {
            assertThat(unusable.exitCode()).isEqualTo(1);
            assertThat(unusable.err()).anyMatch(line -> line.contains(directory + ": Is a directory"));
        }
        Files.setPosixFilePermissions(password, PosixFilePermissions.fromString("rw-r--r--"));
        try (Program serve = serve("--tls-key", file("server-encrypted.key"), "--tls-key-password-file", password.toString())) {
            target(serve);
            assertThat(serve.err())
                    .contains("warning: " + password + ": every user can read this password (rw-r--r--): chmod o= protects it");
        }
    }

    @Test
    void aPasswordThatCannotBeUsedEndsInOneLine() throws Exception {
        openssl("pkcs8", "-topk8", "-in", "server.key", "-out", "encrypted.key", "-passout", "pass:" + PASSWORD);
        String wrong = "another secret";
        Map<String, String> expected = new LinkedHashMap<>();
        expected.put(file("none"), "none: does not exist");
        expected.put(password("\n" + wrong).toString(), "its first line is empty, and should be a password");
        expected.put(password("").toString(), "its first line is empty, and should be a password");
        expected.put(password("x".repeat(2000)).toString(), "its first line is longer than 1024 bytes");
        expected.put(password(wrong + "\n").toString(), "encrypted.key: its key cannot be decrypted: the password is wrong");
        for (Map.Entry<String, String> each : expected.entrySet()) {
            try (Program serve = serve("--tls-key", file("encrypted.key"), "--tls-key-password-file", each.getKey())) {
                assertThat(serve.exitCode()).isEqualTo(1);
                assertThat(serve.err()).last().asString().contains(each.getValue());
                assertThat(serve.err()).noneMatch(line -> line.contains(wrong) || line.contains("xxx") || line.contains("\tat "));
            }
        }
        try (Program without = serve("--tls-key", file("encrypted.key"))) {
            assertThat(without.exitCode()).isEqualTo(1);
            assertThat(without.err()).last().asString()
                    .endsWith("encrypted.key: its key is encrypted, and no password was given (--tls-key-password-file)");
        }
    }

    private Path password(String content) throws IOException {
        Path file = Files.createTempFile(directory, "password", "",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, content);
    }

    @Test
    void theNameThatAClientAsksForChoosesTheCertificate() throws Exception {
        Files.writeString(directory.resolve("other.ext"), "subjectAltName=DNS:other.test");
        openssl("x509", "-req", "-in", "next.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
                "-extfile", "other.ext", "-out", "other.pem");
        openssl("pkcs8", "-topk8", "-in", "next.key", "-out", "other.key", "-passout", "pass:" + PASSWORD);
        try (Program serve = serve("--tls-cert", file("server.pem"), "--tls-cert", file("other.pem"), "--tls-key",
                file("server.key"), "--tls-key", file("other.key"), "--tls-key-password-file", password(PASSWORD).toString())) {
            String target = target(serve);
            assertThat(serve.err()).contains("TLS with the certificate " + file("server.pem") + ", " + file("other.pem"));
            for (String name : List.of("localhost", "other.test")) {
                try (Program connect = Program.trivet("connect", target, "--tls", "--tls-engine", engine, "--tls-ca",
                        file("ca.pem"), "--tls-server-name", name, "--send", "hello")) {
                    assertThat(connect.exitCode()).as("errors: %s", connect.err()).isZero();
                }
            }
        }
        try (Program odd = serve("--tls-cert", file("server.pem"), "--tls-cert", file("other.pem"), "--tls-key",
                file("server.key"))) {
            assertThat(odd.exitCode()).isEqualTo(2);
            assertThat(odd.err().getFirst())
                    .contains("--tls-cert and --tls-key are needed in pairs, not 2 of one and 1 of the other");
        }
    }

    @Test
    void applicationProtocolsAreNegotiated() throws Exception {
        try (Program serve = serve("--tls-alpn", "chat/2,chat/1")) {
            String target = target(serve);
            try (Program one = Program.trivet("connect", target, "--tls", "--tls-engine", engine, "--tls-ca", file("ca.pem"),
                    "--tls-alpn", "chat/1", "--send", "hello");
                    Program none = Program.trivet("connect", target, "--tls", "--tls-engine", engine, "--tls-ca",
                            file("ca.pem"), "--tls-alpn", "h2", "--send", "hello");
                    Program empty = Program.trivet("connect", target, "--tls", "--tls-alpn", "h2,,chat/1", "--send", "x")) {
                assertThat(one.exitCode()).as("errors: %s", one.err()).isZero();
                assertThat(none.exitCode()).isEqualTo(1);
                assertThat(none.err()).last().asString().contains("no_application_protocol");
                assertThat(empty.exitCode()).isEqualTo(2);
                assertThat(empty.err().getFirst()).contains("a name has from 1 to 255 bytes, not 0");
            }
            Process client = new ProcessBuilder("openssl", "s_client", "-connect", target, "-alpn", "chat/1,chat/2")
                    .redirectErrorStream(true).start();
            client.getOutputStream().close();
            assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .contains("ALPN protocol: chat/2");
        }
    }

    @Test
    void errorsNameTheFileOrTheOption() throws Exception {
        try (Program missing = Program.trivet("serve", "--port", "0", "--tls-cert", file("none.pem"), "--tls-key",
                file("server.key"));
                Program alone = Program.trivet("serve", "--port", "0", "--tls-cert", file("server.pem"));
                Program engineAlone = Program.trivet("serve", "--port", "0", "--tls-engine", engine);
                Program unused = Program.trivet("connect", "localhost:1", "--tls-ca", file("ca.pem"), "--send", "x")) {
            assertThat(missing.exitCode()).isEqualTo(1);
            assertThat(missing.err()).last().asString().contains("none.pem: does not exist");
            assertThat(alone.exitCode()).isEqualTo(2);
            assertThat(alone.err().getFirst()).contains("--tls-cert and --tls-key are needed together");
            assertThat(engineAlone.exitCode()).isEqualTo(2);
            assertThat(engineAlone.err().getFirst()).contains("needed together, also with any other option of TLS");
            assertThat(unused.exitCode()).isEqualTo(2);
            assertThat(unused.err().getFirst()).contains("the options that begin with --tls- require --tls");
        }
    }
}
