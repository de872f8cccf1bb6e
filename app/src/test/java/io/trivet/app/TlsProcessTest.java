package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
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
        List<String> command = new java.util.ArrayList<>(List.of("openssl"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    private Program serve(String... more) throws IOException {
        List<String> arguments = new java.util.ArrayList<>(
                List.of("serve", "--port", "0", "--tls-cert", file("server.pem"), "--tls-key", file("server.key"),
                        "--tls-engine", engine));
        arguments.addAll(List.of(more));
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
            assertThat(engineAlone.err().getFirst()).contains("needed together, also with --tls-engine");
            assertThat(unused.exitCode()).isEqualTo(2);
            assertThat(unused.err().getFirst()).contains("require --tls");
        }
    }
}
