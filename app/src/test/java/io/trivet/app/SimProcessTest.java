package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
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
