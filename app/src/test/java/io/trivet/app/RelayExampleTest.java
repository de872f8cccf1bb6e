package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Checks the example HttpRelay with curl. */
@EnabledOnOs(OS.LINUX)
final class RelayExampleTest {
    private static final List<String> NATIVE = List.of("--enable-native-access=ALL-UNNAMED");
    /** More than all socket buffers and queues on the way hold. */
    private static final int FILE_BYTES = 40_000_000;
    private static final int CURL_PARTIAL_FILE = 18;
    private static final int CURL_SEND_FAILED = 55;
    private static final int CURL_RECEIVE_FAILED = 56;

    @TempDir static Path directory;
    private static Program relay;
    private static InetSocketAddress address;
    private static Path file;

    @BeforeAll
    static void startRelay() throws Exception {
        Path classes = Files.createDirectory(directory.resolve("classes"));
        ExamplesTest.compile(List.of(Path.of(System.getProperty("trivet.root"), "examples", "HttpRelay.java")), classes);
        Path served = Files.createDirectory(directory.resolve("served"));
        byte[] bytes = new byte[FILE_BYTES];
        new Random(1).nextBytes(bytes);
        file = Files.write(served.resolve("file"), bytes);
        Files.createFile(served.resolve("empty"));
        String classPath = classes + File.pathSeparator + System.getProperty("java.class.path");
        relay = Program.start(Program.javaCommand(NATIVE, classPath, "HttpRelay", "127.0.0.1", "0", served.toString()));
        relay.awaitOut("\n");
        address = new InetSocketAddress(InetAddress.getLoopbackAddress(),
                Integer.parseInt(relay.out().trim().replaceFirst(".* ", "")));
    }

    @AfterAll
    static void endRelay() throws Exception {
        relay.close();
    }

    private static Program curl(String name, String... options) throws IOException {
        boolean isInstalled = Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, "curl")));
        assumeTrue(isInstalled, "curl is not installed");
        List<String> command = new ArrayList<>(List.of("curl", "-sS", "--noproxy", "*"));
        command.addAll(List.of(options));
        command.add("http://127.0.0.1:" + address.getPort() + "/" + name);
        return Program.start(command);
    }

    private static void assertSucceeds(Program program) throws InterruptedException {
        assertThat(program.exitCode()).as("%s; the relay: %s", program.err(), relay.err()).isZero();
    }

    @Test
    void relaysAnUploadToADownload() throws Exception {
        Path copy = directory.resolve("copy");
        try (Program download = curl("stream", "-f", "-o", copy.toString());
                Program upload = curl("stream", "-f", "-T", file.toString())) {
            assertSucceeds(upload);
            assertSucceeds(download);
        }
        assertThat(copy).hasSameBinaryContentAs(file);
    }

    @Test
    void anUploadWaitsForASlowDownload() throws Exception {
        try (Program upload = curl("slow", "-f", "-v", "-T", file.toString()); Socket download = PlainSocket.connect(address)) {
            PlainSocket.send(download, "GET /slow HTTP/1.1\r\n\r\n");
            upload.awaitErr(line -> line.contains("HTTP/1.1 100 Continue"));
            assertThat(PlainSocket.receiveAll(download)).endsWith(Files.readString(file, StandardCharsets.ISO_8859_1));
            assertSucceeds(upload);
        }
    }

    @Test
    void relaysAnEmptyBody() throws Exception {
        Path empty = file.resolveSibling("empty");
        try (Program upload = curl("nothing", "-f", "-T", empty.toString()); Program download = curl("nothing", "-f")) {
            assertSucceeds(upload);
            assertSucceeds(download);
            assertThat(download.out()).isEmpty();
        }
    }

    @Test
    void sendsAFileAndItsRanges() throws Exception {
        Path whole = directory.resolve("whole");
        try (Program download = curl("file", "-f", "-o", whole.toString())) {
            assertSucceeds(download);
        }
        assertThat(whole).hasSameBinaryContentAs(file);
        Path joined = directory.resolve("joined");
        for (String range : List.of("0-0", "1-9999999", "10000000-")) {
            try (Program download = curl("file", "-f", "-r", range, "-o", directory.resolve("piece").toString())) {
                assertSucceeds(download);
            }
            Files.write(joined, Files.readAllBytes(directory.resolve("piece")), StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        }
        assertThat(joined).hasSameBinaryContentAs(file);
    }

    @Test
    void aDownloadSeesThatItsUploadWasCut() throws Exception {
        try (Program download = curl("cut", "-o", directory.resolve("cut").toString());
                Socket upload = PlainSocket.connect(address)) {
            PlainSocket.send(upload, "PUT /cut HTTP/1.1\r\nContent-Length: 1000\r\n\r\n" + "x".repeat(999));
            upload.shutdownOutput();
            assertThat(download.exitCode()).isIn(CURL_PARTIAL_FILE, CURL_RECEIVE_FAILED);
        }
    }

    @Test
    void anUploadSeesThatItsDownloadHasLeft() throws Exception {
        try (Program upload = curl("left", "-T", file.toString())) {
            try (Socket download = PlainSocket.connect(address)) {
                PlainSocket.send(download, "GET /left HTTP/1.1\r\n\r\n");
                PlainSocket.receive(download, 100_000);
            }
            assertThat(upload.exitCode()).isIn(CURL_SEND_FAILED, CURL_RECEIVE_FAILED);
        }
    }

    @Test
    void refusesWhatItCannotServe() throws Exception {
        assertRefused("file", "416", "-r", "40000000-");
        assertRefused("empty", "416", "-r", "0-");
        assertRefused("..", "400", "--path-as-is");
        assertRefused(".hidden", "400");
        assertRefused("file", "400", "-X", "DELETE");
        assertRefused("unknown", "411", "-T", file.toString(), "-H", "Content-Length:", "-H", "Transfer-Encoding: chunked");
    }

    private static void assertRefused(String name, String status, String... options) throws Exception {
        List<String> all = new ArrayList<>(List.of("-w", "%{http_code}", "-o", "/dev/null"));
        all.addAll(List.of(options));
        try (Program curl = curl(name, all.toArray(String[]::new))) {
            curl.exitCode();
            assertThat(curl.out()).isEqualTo(status);
        }
    }
}
