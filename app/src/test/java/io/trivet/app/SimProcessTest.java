package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code trivet sim} as a process: event logs, reports and exit codes. */
final class SimProcessTest {
    /** Few clients, so that the interpreted run (-Xint) stays short. */
    private static final String[] SMALL_SCENARIO = {"sim", "--seed", "7", "--without", "c3-11"};

    @Test
    void aSeedPrintsTheSameBytesInEveryProcessInterpretedOrWithAnotherCollector() throws Exception {
        String printed = out(List.of(), SMALL_SCENARIO);
        assertThat(printed).contains("seed 7: ", "client 0 ", "onClose").endsWith("all checks passed\n");
        assertThat(out(List.of("-Xint"), SMALL_SCENARIO)).isEqualTo(printed);
        assertThat(out(List.of("-XX:-UseSerialGC", "-XX:+UseParallelGC"), SMALL_SCENARIO)).isEqualTo(printed);
    }

    private static String out(List<String> options, String... arguments) throws Exception {
        try (Program program = Program.java(options, "io.trivet.app.Trivet", arguments)) {
            assertThat(program.exitCode()).isZero();
            return program.out();
        }
    }

    @Test
    void viewShowsTheRunAndLeavesItAsItIs() throws Exception {
        String printed = out(List.of(), SMALL_SCENARIO);
        String[] arguments = Stream.concat(Stream.of(SMALL_SCENARIO), Stream.of("--view", "0")).toArray(String[]::new);
        try (Program program = Program.trivet(arguments); HttpClient http = HttpClient.newHttpClient()) {
            URI address = URI
                    .create(program.awaitErr(line -> line.startsWith("view http://127.0.0.1:")).substring("view ".length()));
            assertThat(program.out()).isEqualTo(printed);
            String hello = get(http, address, "/api/hello?");
            assertThat(hello).contains("\"title\":\"seed 7 --without c3-11\"", "client 0, ", "\"failure\":null", "\"server ");
            int steps = Integer.parseInt(hello.replaceFirst("(?s).*\"steps\":(\\d+).*", "$1"));
            assertThat(steps).isGreaterThan(100);
            assertThat(get(http, address, "/api/step?step=" + steps + "&")).contains("\"lists\":", "\"last\":true");
            program.signal("INT");
            assertThat(program.exitCode()).isZero();
        }
    }

    @Test
    void viewMarksTheStepOfAFailure() throws Exception {
        try (Program program = Program.trivet("sim", "--seed", "3", "--canary", "--view", "0");
                HttpClient http = HttpClient.newHttpClient()) {
            URI address = URI.create(program.awaitErr(line -> line.startsWith("view ")).substring("view ".length()));
            String hello = get(http, address, "/api/hello?");
            assertThat(hello).contains("\"failure\":\"WRONG, CANARY: ");
            List<String> marks = List.of(hello.replaceFirst("(?s).*\"marks\":\\[([^]]*)].*", "$1").split(","));
            assertThat(marks.stream().filter(mark -> (Integer.parseInt(mark) & 16) != 0)).hasSize(1);
            program.signal("TERM");
            assertThat(program.exitCode()).isEqualTo(10);
        }
        try (Program many = Program.trivet("sim", "--seeds", "1..2", "--view", "0")) {
            assertThat(many.exitCode()).isEqualTo(2);
            assertThat(many.err().toString()).contains("--view must be given with --seed, not with --seeds");
        }
        try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"));
                Program taken = Program.trivet("sim", "--seed", "3", "--view", Integer.toString(busy.getLocalPort()))) {
            assertThat(taken.exitCode()).isEqualTo(1);
            assertThat(taken.err().toString()).contains("--view 127.0.0.1:" + busy.getLocalPort());
        }
    }

    private static String get(HttpClient http, URI address, String path) throws IOException, InterruptedException {
        return http.send(HttpRequest.newBuilder(address.resolve(path + address.getQuery())).build(),
                HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8)).body();
    }

    @Test
    void printsASummaryOfManySeeds() throws Exception {
        try (Program program = Program.trivet("sim", "--seeds", "1..6", "--table")) {
            assertThat(program.exitCode()).isZero();
            assertThat(program.out()).contains("6 of 6 seeds, 0 failed", "median scenario: ", "PEER_FINISHED", "SHORT_READ");
        }
    }

    @ParameterizedTest
    @CsvSource({"INT,130", "TERM,143"})
    void printsTheResultsSoFarWhenASignalArrives(String signal, int exitCode) throws Exception {
        try (Program program = Program.trivet("sim", "--seeds", "1..1000000000", "--threads", "1", "--table")) {
            program.awaitErr(line -> line.contains(" of 1,000,000,000 seeds, 0 failed; "));
            program.signal(signal);
            assertThat(program.exitCode()).isEqualTo(exitCode);
            assertThat(program.out()).startsWith("interrupted: seeds 1..1000000000, run up to ")
                    .contains("median scenario: ", "SHORT_READ");
            assertThat(program.err())
                    .contains("interrupted: waiting for the running scenarios; press Ctrl-C again to stop at once");
        }
    }

    @Test
    void reportsACanaryWithTheCommandThatReplaysIt() throws IOException, InterruptedException {
        String replay;
        try (Program program = Program.trivet("sim", "--seeds", "3..3", "--canary")) {
            assertThat(program.exitCode()).isEqualTo(10);
            replay = program.out().lines().filter(line -> line.startsWith("replay with: trivet ")).findFirst().orElseThrow();
        }
        try (Program program = Program.trivet(replay.substring("replay with: trivet ".length()).split(" ", -1))) {
            assertThat(program.exitCode()).isEqualTo(10);
            assertThat(program.out()).contains("CHECK FAILED CANARY", "WRONG, CANARY");
        }
    }
}
