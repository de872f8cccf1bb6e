package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Scanners against {@code trivet serve}: sslscan and testssl.sh find nothing below Mozilla's recommendation "intermediate": TLS 1.2 and 1.3,
 * forward secrecy, authenticated encryption, no compression, no renegotiation.
 */
@ParameterizedClass
@ValueSource(strings = {"jdk", "openssl"})
@EnabledOnOs(OS.LINUX)
final class TlsScanTest {
    private static final Pattern COLOURS = Pattern.compile("\u001b\\[[0-9;]*m");

    private final String engine;
    @TempDir private Path directory;

    TlsScanTest(String engine) {
        this.engine = engine;
    }

    @BeforeEach
    void makeCertificate() throws Exception {
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", file("server.key"), "-out",
                file("server.pem"));
    }

    private String file(String name) {
        return directory.resolve(name).toString();
    }

    private static void require(String... programs) {
        for (String program : programs) {
            boolean isInstalled = false;
            for (String path : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
                isInstalled |= Files.isExecutable(Path.of(path, program));
            }
            assumeTrue(isInstalled, program + " is not installed");
        }
    }

    /** Runs a program, and returns its output without colours. */
    private String run(String... command) throws IOException, InterruptedException {
        Path output = Files.createTempFile(directory, "output", ".txt");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile())).start();
        if (!process.waitFor(10 * Program.TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        return COLOURS.matcher(Files.readString(output, StandardCharsets.ISO_8859_1)).replaceAll("");
    }

    private Program serve() throws IOException {
        return Program.trivet("serve", "--port", "0", "--tls-cert", file("server.pem"), "--tls-key", file("server.key"),
                "--tls-engine",
                engine);
    }

    private static String target(Program serve) throws InterruptedException {
        String line = serve.awaitErr(text -> text.startsWith("listening on "));
        return "127.0.0.1:" + line.substring(line.lastIndexOf(':') + 1);
    }

    @Test
    void sslscanFindsNothingBelowTheRecommendation() throws Exception {
        require("sslscan");
        try (Program serve = serve()) {
            String report = run("sslscan", "--no-colour", "--show-certificate", target(serve));
            assertThat(report).containsPattern("SSLv2 +disabled").containsPattern("SSLv3 +disabled")
                    .containsPattern("TLSv1.0 +disabled")
                    .containsPattern("TLSv1.1 +disabled").containsPattern("TLSv1.2 +enabled").containsPattern("TLSv1.3 +enabled");
            assertThat(report).contains("Session renegotiation not supported").doesNotContain("Compression enabled",
                    " is vulnerable");
            List<String> suites = new ArrayList<>();
            for (String line : report.split("\n", -1)) {
                if (line.startsWith("Preferred") || line.startsWith("Accepted")) {
                    suites.add(line);
                }
            }
            assertThat(suites).isNotEmpty().allSatisfy(
                    line -> assertThat(line).matches("(Preferred|Accepted) +TLSv1\\.[23] .*(GCM|CHACHA20).*")
                            .containsAnyOf("TLSv1.3", "ECDHE"));
        }
    }

    @Test
    void testsslFindsNothingBelowTheRecommendation() throws Exception {
        require("testssl", "openssl");
        try (Program serve = serve()) {
            Path report = directory.resolve("report.csv");
            run("testssl", "--quiet", "--color", "0", "--warnings", "batch", "--ip", "127.0.0.1", "--protocols", "--fs",
                    "--heartbleed",
                    "--ccs-injection", "--ticketbleed", "--renegotiation", "--crime", "--sweet32", "--rc4", "--robot",
                    "--csvfile",
                    report.toString(), target(serve));
            List<String> lines = Files.readAllLines(report);
            assertThat(lines).hasSizeGreaterThan(20);
            assertThat(lines).noneMatch(line -> line.matches(".*\"(LOW|MEDIUM|HIGH|CRITICAL|FATAL)\",.*"));
        }
    }
}
