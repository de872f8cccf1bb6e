package io.trivet.tls;

import io.trivet.contract.Tools;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Certificates for tests, made by OpenSSL when the first test needs them: an authority, and what it has signed. If OpenSSL is not
 * installed, the test is skipped.
 */
public final class TestCertificates {
    private static final Path DIRECTORY = create();

    private TestCertificates() {}

    /** Returns a file by its name: {@code ca.pem}, {@code localhost.pem}, {@code localhost.key}, … */
    public static Path file(String name) {
        Tools.require("openssl");
        return DIRECTORY.resolve(name);
    }

    /** Returns settings of a server for localhost and 127.0.0.1. */
    public static TlsServer server() {
        return server(TlsEngineKind.AUTO);
    }

    /** Returns settings of a server for localhost and 127.0.0.1, with an engine. */
    public static TlsServer server(TlsEngineKind engine) {
        try {
            return TlsServer.builder().certificate(file("localhost.pem"), file("localhost.key")).engine(engine).build();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns settings of a client that trusts the authority. */
    public static TlsClient client() {
        return client(TlsEngineKind.AUTO);
    }

    /** Returns settings of a client that trusts the authority, with an engine. */
    public static TlsClient client(TlsEngineKind engine) {
        try {
            return TlsClient.builder().authorities(file("ca.pem")).engine(engine).build();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path create() {
        String openssl = Tools.require("openssl");
        try {
            Path directory = Files.createTempDirectory("trivet-certificates");
            directory.toFile().deleteOnExit();
            authority(openssl, directory, "ca");
            authority(openssl, directory, "other-ca");
            signed(openssl, directory, "localhost", "ca", "DNS:localhost,IP:127.0.0.1,IP:::1", 30);
            signed(openssl, directory, "example", "ca", "DNS:example.test,DNS:*.example.test", 30);
            signed(openssl, directory, "expired", "ca", "DNS:localhost,IP:127.0.0.1", -1);
            signed(openssl, directory, "untrusted", "other-ca", "DNS:localhost,IP:127.0.0.1", 30);
            signed(openssl, directory, "client", "ca", "DNS:client.test", 30);
            signed(openssl, directory, "ed25519", "ca", "DNS:localhost", 30, "-newkey", "ed25519");
            run(directory, openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "rsa.key", "-out", "rsa.pem",
                    "-subj",
                    "/CN=localhost", "-days", "30");
            run(directory, openssl, "rsa", "-in", "rsa.key", "-traditional", "-out", "rsa-pkcs1.key");
            run(directory, openssl, "rsa", "-in", "rsa.key", "-traditional", "-aes128", "-passout", "pass:secret", "-out",
                    "rsa-old-encrypted.key");
            run(directory, openssl, "ec", "-in", "localhost.key", "-out", "localhost-sec1.key");
            run(directory, openssl, "pkcs8", "-topk8", "-in", "localhost.key", "-out", "localhost-encrypted.key", "-passout",
                    "pass:secret");
            return directory;
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void authority(String openssl, Path directory, String name) throws IOException, InterruptedException {
        run(directory, openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                name + ".key", "-out", name + ".pem", "-subj", "/CN=Trivet " + name, "-days", "30");
    }

    private static void signed(String openssl, Path directory, String name, String authority, String alternatives, int days)
            throws IOException, InterruptedException {
        signed(openssl, directory, name, authority, alternatives, days, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256");
    }

    private static void signed(String openssl, Path directory, String name, String authority, String alternatives, int days,
            String... newKey) throws IOException, InterruptedException {
        Files.writeString(directory.resolve(name + ".ext"), "subjectAltName=" + alternatives + "\n");
        List<String> request = new ArrayList<>(List.of(openssl, "req"));
        request.addAll(List.of(newKey));
        request.addAll(List.of("-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name));
        run(directory, request.toArray(String[]::new));
        run(directory, openssl, "x509", "-req", "-in", name + ".csr", "-CA", authority + ".pem", "-CAkey", authority + ".key",
                "-CAcreateserial", "-out", name + ".pem", "-days", String.valueOf(days), "-extfile", name + ".ext");
    }

    private static void run(Path directory, String... command) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(command));
        Process process = new ProcessBuilder(all).directory(directory.toFile()).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(all + " failed: " + output);
        }
        try (var files = Files.list(directory)) {
            files.forEach(file -> file.toFile().deleteOnExit());
        }
    }
}
