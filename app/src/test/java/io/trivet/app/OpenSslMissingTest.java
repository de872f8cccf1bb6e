package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What {@code trivet} says where OpenSSL cannot be used: the reason and the cure. */
@EnabledOnOs(OS.LINUX)
final class OpenSslMissingTest {
    private static final String UNAVAILABLE = "trivet serve: the TLS engine openssl is not available: ";

    @TempDir private Path directory;

    @BeforeEach
    void makeCertificate() throws Exception {
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                "/CN=localhost", "-keyout", file("server.key"), "-out", file("server.pem"));
    }

    private String file(String name) {
        return directory.resolve(name).toString();
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getInputStream().readAllBytes();
        assertThat(process.waitFor()).isZero();
    }

    /** Starts trivet with the libraries of a directory before those of the system. */
    private Program serve(List<String> command) throws IOException {
        List<String> all = new ArrayList<>(List.of("env", "LD_LIBRARY_PATH=" + directory));
        all.addAll(command);
        return Program.start(all);
    }

    private String[] arguments(String engine) {
        return new String[]{"serve", "--port", "0", "--tls-cert", file("server.pem"), "--tls-key", file("server.key"),
            "--tls-engine",
            engine};
    }

    @Test
    void aMissingLibraryIsNamedWithItsCure() throws Exception {
        Files.createFile(directory.resolve("libssl.so.3"));
        try (Program serve = serve(Program.trivetCommand(arguments("openssl")));
                Program engines = serve(Program.trivetCommand("engines"))) {
            assertThat(serve.exitCode()).isEqualTo(1);
            String reason = "libssl.so.3 was not found, or cannot be loaded: install OpenSSL 3 (on Debian: apt install libssl3), or use jdk";
            assertThat(serve.err()).last().isEqualTo(UNAVAILABLE + reason);
            assertThat(engines.exitCode()).isZero();
            assertThat(engines.out()).contains("\ntls openssl  no   " + reason + "\n").contains("\ntls jdk      yes  Java ");
        }
        try (Program serve = serve(Program.trivetCommand(arguments("auto")))) {
            assertThat(serve.awaitErr(line -> line.startsWith("TLS engine "))).startsWith("TLS engine jdk: Java ");
            serve.awaitErr(line -> line.equals("ready"));
        }
    }

    @Test
    void anotherLibraryOfThatNameIsRefused() throws Exception {
        for (String name : List.of("libssl.so.3", "libcrypto.so.3")) {
            run("gcc", "-shared", "-o", file(name), "-x", "c", "/dev/null");
        }
        try (Program serve = serve(Program.trivetCommand(arguments("openssl")))) {
            assertThat(serve.exitCode()).isEqualTo(1);
            assertThat(serve.err()).last().asString().startsWith(UNAVAILABLE + "libssl.so.3 cannot be called (")
                    .endsWith("has no function OpenSSL_version_num): use jdk");
        }
    }

    @Test
    void deniedNativeAccessIsNamedWithItsCure() throws Exception {
        List<String> command = Program.javaCommand(List.of("--illegal-native-access=deny"), System.getProperty("java.class.path"),
                "io.trivet.app.Trivet", arguments("openssl"));
        try (Program serve = Program.start(command)) {
            assertThat(serve.exitCode()).isEqualTo(1);
            assertThat(serve.err()).last().isEqualTo(UNAVAILABLE + "native access is denied to Trivet: start java with "
                    + "--enable-native-access=ALL-UNNAMED, or use jdk");
        }
    }
}
