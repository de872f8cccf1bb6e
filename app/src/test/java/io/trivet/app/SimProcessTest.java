package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code trivet sim} as a process: its timelines, its reports, and its exit codes. */
final class SimProcessTest {
    /** Few clients, so that an interpreter gets through it. */
    private static final String[] SMALL_WORLD = {"sim", "--seed", "7", "--cut", "p3-31"};

    @Test
    void theSameSeedTellsTheSameByteForByteInAnotherProcessInterpretedAndWithAnotherCollector() throws Exception {
        String told = out(List.of(), SMALL_WORLD);
        assertThat(told).contains("seed 7: ", "client 0 ", "is told the close").endsWith("all went well\n");
        assertThat(out(List.of("-Xint"), SMALL_WORLD)).isEqualTo(told);
        assertThat(out(List.of("-XX:-UseSerialGC", "-XX:+UseParallelGC"), SMALL_WORLD)).isEqualTo(told);
    }

    private static String out(List<String> options, String... arguments) throws Exception {
        try (Program program = Program.java(options, "io.trivet.app.Trivet", arguments)) {
            assertThat(program.exitCode()).isZero();
            return program.out();
        }
    }

    @Test
    void manySeedsAreSummedUp() throws Exception {
        try (Program program = Program.trivet("sim", "--seeds", "1..6", "--table")) {
            assertThat(program.exitCode()).isZero();
            assertThat(program.out()).contains("6 of 6 seeds, 0 failed", "the median world has", "PEER_FINISHED", "SHORT_READ");
        }
    }

    @Test
    void aCanaryIsReportedWithASmallWorldAndTheCommandThatReplaysIt() throws IOException, InterruptedException {
        String replay;
        try (Program program = Program.trivet("sim", "--seeds", "3..3", "--canary")) {
            assertThat(program.exitCode()).isEqualTo(10);
            replay = program.out().lines().filter(line -> line.startsWith("replay it: trivet ")).findFirst().orElseThrow();
        }
        try (Program program = Program.trivet(replay.substring("replay it: trivet ".length()).split(" ", -1))) {
            assertThat(program.exitCode()).isEqualTo(10);
            assertThat(program.out()).contains("JUDGE CANARY", "WRONG, CANARY");
        }
    }
}
