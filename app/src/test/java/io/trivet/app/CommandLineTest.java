package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line's usage errors, version and help. Runs in this process, with its streams replaced. */
final class CommandLineTest {
    private final PrintStream realOut = System.out;
    private final PrintStream realErr = System.err;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @BeforeEach
    void replaceStreams() {
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void restoreStreams() {
        System.setOut(realOut);
        System.setErr(realErr);
    }

    private List<String> errorLines() {
        return err.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "serve --port 65536 | --port must be a port from 0 to 65535, not 65536",
        "serve --port -1 | --port must be a port from 0 to 65535, not -1",
        "serve --port http | Invalid value for option '--port': 'http' is not an int",
        "serve --engine kqueue | Invalid value for option '--engine': 'kqueue' is not one of auto, uring, epoll, poll, select, nio",
        "serve --reply shout | Invalid value for option '--reply': 'shout' is not one of echo, address, discard, broadcast",
        "serve --framing json | Invalid value for option '--framing': 'json' is not one of raw, lines",
        "serve --overflow wait | Invalid value for option '--overflow': 'wait' is not one of pause, drop-oldest, disconnect",
        "serve --overflow drop-oldest | --overflow must be pause or disconnect with --framing raw, where a client could not know which bytes are missing",
        "serve --timeout -3s | Invalid value for option '--timeout': '-3s' is not a duration: write 500ms, 10s, 5m or 1h",
        "serve --timeout 3 | Invalid value for option '--timeout': '3' is not a duration: write 500ms, 10s, 5m or 1h",
        "serve --timeout 0s | --timeout must be longer than 0",
        "serve --queue-limit 1MB | Invalid value for option '--queue-limit': '1MB' is not a size: write 512, 64KiB, 1MiB or 1GiB",
        "serve --queue-limit 64KiB | --queue-limit must be at least 128 bytes more than --message-limit, 64KiB, so that a reply fits",
        "serve --message-limit 0 | --message-limit must be from 1 byte to 1GiB",
        "serve --backlog 0 | --backlog must be at least 1, not 0",
        "serve --allow 10.0.0.0/33 | Invalid value for option '--allow' (CIDR): 10.0.0.0/33: the prefix has 0 to 32 bits",
        "serve --deny localhost | Invalid value for option '--deny' (CIDR): localhost: not an IP address: write 10.0.0.0/8 or 2001:db8::/32",
        "serve --proxy-protocol haproxy | Invalid value for option '--proxy-protocol' (CIDR): haproxy: not an IP address: write 10.0.0.0/8 or 2001:db8::/32",
        "serve --max-connections 0 | --max-connections must be at least 1, not 0",
        "serve --frobnicate | Unknown option: '--frobnicate'; did you mean --framing?",
        "serve extra | Unmatched argument at index 1: 'extra'",
        "serve --port | Missing required parameter for option '--port' (PORT)",
        "serve --port 1 --port 2 | option '--port' (PORT) should be specified only once",
        "connect | `Missing required parameter: 'HOST:PORT|unix:PATH'`",
        "connect localhost | `Invalid value for positional parameter at index 0 (HOST:PORT|unix:PATH): 'localhost' is not HOST:PORT: write localhost:8080 or [::1]:8080, the port from 1 to 65535; or unix:PATH`",
        "connect localhost:1 --connections 0 | --connections must be at least 1, not 0",
        "connect localhost:1 --append-index | --append-index and --expect require --send",
        "connect localhost:1 --wait soon | Invalid value for option '--wait': 'soon' is not a duration: write 500ms, 10s, 5m or 1h",
        "connect localhost:1 --from localhost | Invalid value for option '--from': 'localhost' is not an IP address with or without a port: write 192.0.2.1, 192.0.2.1:5000, or [2001:db8::1]:5000",
        "connect localhost:1 --from 127.0.0.1:65536 | Invalid value for option '--from': '127.0.0.1:65536' is not an IP address with or without a port: write 192.0.2.1, 192.0.2.1:5000, or [2001:db8::1]:5000",
        "connect unix:/a --from ::1 | --from is for TCP, and unix:/a is a Unix domain socket",
        "connect localhost:1 --from [::1]:5000 -c 2 | --from with a port permits one connection, not --connections 2: omit the port",
        "sim --seeds 1..5 --without c1 | --without must be given with --seed, not with --seeds",
        "sim --seed 1 --threads 0 | --threads must be given with --seeds, not with --seed",
        "sim --seed 1 --table | --table must be given with --seeds, not with --seed",
        "sim --seeds 1..2 --corpus no/such/folder/seeds.txt | --corpus no/such/folder/seeds.txt cannot be written: no/such/folder/seeds.txt does not exist",
        "sim --seed 1 --corpus seeds.txt | --corpus must be given with --seeds, not with --seed",
        "sim --seed 1 --max-failures 1 | --max-failures must be given with --seeds, not with --seed",
        "sim --seeds 1..5 --max-failures 0 | --max-failures must be at least 1, not 0",
        "sim --seeds 5..3 | Invalid value for option '--seeds': '5..3' ends before it starts: write 3..5",
        "sim --seed 7 --without c0-2147483647 | --without: c0-2147483647 has a number of more than 5 digits",
        "engines --all | Unknown option: '--all'"})
    void reportsAUsageErrorInOneLineAndExitsWith2(String line, String message) {
        String[] arguments = line.split(" ");
        assertThat(Trivet.run(arguments)).isEqualTo(2);
        String command = "trivet " + arguments[0];
        assertThat(errorLines()).containsExactly(command + ": " + message, "Try '" + command + " --help'.");
        assertThat(out.size()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1000000"})
    void limitsTheNumberOfThreads(String threads) {
        assertThat(Trivet.run("sim", "--seeds", "1..5", "--threads", threads)).isEqualTo(2);
        int most = 4 * Runtime.getRuntime().availableProcessors();
        assertThat(errorLines()).first()
                .isEqualTo("trivet sim: --threads must be from 1 to " + most + ", 4 per processor, not " + threads);
    }

    @Test
    void rejectsAReductionOfAMissingPart() {
        assertThat(Trivet.run("sim", "--seed", "7", "--without", "c3,c999")).isEqualTo(2);
        assertThat(errorLines()).hasSize(2).first().asString()
                .startsWith("trivet sim: --without: the scenario of seed 7 has no c999; it has ");
        assertThat(out.size()).isZero();
    }

    @Test
    void suggestsACommandForAMisspelledName() {
        assertThat(Trivet.run("serv")).isEqualTo(2);
        assertThat(errorLines()).containsExactly("trivet: Unmatched argument at index 0: 'serv'; did you mean serve?",
                "Try 'trivet --help'.");
    }

    @Test
    void reportsAMissingCommandAsAUsageError() {
        assertThat(Trivet.run()).isEqualTo(2);
        assertThat(errorLines()).containsExactly("trivet: Missing required subcommand", "Try 'trivet --help'.");
    }

    @Test
    void escapesControlCharactersInUsageErrors() {
        assertThat(Trivet.run("serve", "--engine", "a\nready\u001b[2J")).isEqualTo(2);
        assertThat(errorLines()).hasSize(2).first().asString().contains("'a\\x0aready\\x1b[2J' is not one of auto");
    }

    @Test
    void escapesWhatATerminalObeysWhereverAnArgumentIsQuoted() {
        assertThat(Trivet.run("serve", "x\u202egnp.exe\u009b2J\u001b[2J")).isEqualTo(2);
        assertThat(errorLines()).first().asString().endsWith("'x\\xe2\\x80\\xaegnp.exe\\xc2\\x9b2J\\x1b[2J'");
        assertThat(Trivet.run("serve", "--host", "a\u202eb\u001b.invalid")).isEqualTo(1);
        assertThat(errorLines()).last().isEqualTo("trivet serve: unknown host 'a\\xe2\\x80\\xaeb\\x1b.invalid'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-V", "--version", "serve -V"})
    void printsCommitJavaAndEnginesAsTheVersion(String line) {
        assertThat(Trivet.run(line.split(" "))).isZero();
        List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines).hasSize(3);
        assertThat(lines.get(0)).startsWith("trivet " + System.getProperty("trivet.version") + " (commit ");
        assertThat(lines.get(1)).startsWith("Java " + Runtime.version());
        assertThat(lines.get(2)).startsWith("engines ").contains("nio", "uring");
    }

    @ParameterizedTest
    @CsvSource({"serve,127.0.0.1,8080,echo,raw,auto,4096,3s,1MiB,64KiB,5m,10s", "connect,1,10s,,,,,,,,,"})
    void showsEveryDefaultInTheHelp(String command, String first, String second, String third, String fourth, String fifth,
            String sixth, String seventh, String eighth, String ninth, String tenth, String eleventh) {
        assertThat(Trivet.run(command, "--help")).isZero();
        for (String value : new String[]{first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth, eleventh}) {
            if (value != null) {
                assertThat(out.toString(StandardCharsets.UTF_8)).contains("Default: " + value + "\n");
            }
        }
        assertThat(errorLines()).isEmpty();
    }

    @Test
    void listsWhatEachEngineSupportsAndWhichIsTheDefault() {
        assertThat(Trivet.run("engines")).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8).lines())
                .contains(
                        "nio     yes  supports everything but urgent data, descriptors, regular files, keep alive options, inherited options")
                .anyMatch(line -> line.matches("uring   (yes  supports everything but regular files.*|no   .+)"))
                .anyMatch(line -> line.matches("tls jdk      yes  Java .+"))
                .anyMatch(line -> line.matches("tls openssl  (yes  OpenSSL 3\\..+|no   .+)"))
                .filteredOn(line -> line.endsWith(" auto)"))
                .satisfiesExactly(line -> assertThat(line).endsWith("; the default (--engine auto)"),
                        line -> assertThat(line).startsWith("tls ").endsWith("; the default (--tls-engine auto)"));
    }

    @Test
    void reportsTheCureWhenAnEngineIsNotAvailable() throws Exception {
        try (Program trivet = Program.java(List.of("--illegal-native-access=deny"), "io.trivet.app.Trivet", "serve", "--engine",
                "epoll", "--port", "0")) {
            assertThat(trivet.exitCode()).isEqualTo(1);
            assertThat(trivet.err()).last().isEqualTo("trivet serve: epoll is not available: native access is denied to Trivet: "
                    + "start java with --enable-native-access=ALL-UNNAMED");
        }
    }

    @Test
    void failsOnAnUnknownHost() {
        assertThat(Trivet.run("serve", "--host", "no-such-host.invalid")).isEqualTo(1);
        assertThat(errorLines()).last().isEqualTo("trivet serve: unknown host 'no-such-host.invalid'");
    }
}
