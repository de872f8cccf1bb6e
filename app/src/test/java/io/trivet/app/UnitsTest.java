package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

/** The command line's conversions: durations, sizes, seeds, addresses, escaped text and log lines. */
final class UnitsTest {
    @ParameterizedTest
    @CsvSource({"500ms,PT0.5S,500ms", "10s,PT10S,10s", "5m,PT5M,5m", "90s,PT90S,90s", "2h,PT2H,2h", "120m,PT2H,2h", "0,PT0S,0s"})
    void parsesAndFormatsDurations(String text, Duration duration, String printed) {
        assertThat(new DurationText().convert(text)).isEqualTo(duration);
        assertThat(DurationText.of(duration)).isEqualTo(printed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "s", "-1s", "5", "1.5s", "10 s", "10S", "9999999999s", "1d", "+1s"})
    void rejectsInvalidDurations(String text) {
        assertThatThrownBy(() -> new DurationText().convert(text)).isInstanceOf(TypeConversionException.class)
                .hasMessage("'" + text + "' is not a duration: write 500ms, 10s, 5m or 1h");
    }

    @ParameterizedTest
    @ValueSource(strings = {"876601h", "999999999h", "999999999m"})
    void rejectsDurationsOfMoreThan100Years(String text) {
        assertThatThrownBy(() -> new DurationText().convert(text)).isInstanceOf(TypeConversionException.class)
                .hasMessage("'" + text + "' is too long: the maximum is 876600h");
    }

    @ParameterizedTest
    @CsvSource({"512,512,512B", "64KiB,65536,64KiB", "1MiB,1048576,1MiB", "2048KiB,2097152,2MiB", "1GiB,1073741824,1GiB",
        "7B,7,7B"})
    void parsesAndFormatsSizes(String text, long bytes, String printed) {
        assertThat(new SizeText().convert(text)).isEqualTo(bytes);
        assertThat(SizeText.of(bytes)).isEqualTo(printed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "KiB", "-1", "64KB", "64k", "1.5MiB", "9999999999"})
    void rejectsInvalidSizes(String text) {
        assertThatThrownBy(() -> new SizeText().convert(text)).isInstanceOf(TypeConversionException.class)
                .hasMessage("'" + text + "' is not a size: write 512, 64KiB, 1MiB or 1GiB");
    }

    @ParameterizedTest
    @CsvSource({"1..1000,1,1000,1000", "-5..-5,-5,-5,1",
        "9223372036854775807..9223372036854775807,9223372036854775807,9223372036854775807,1",
        "-9223372036854775808..9223372036854775807,-9223372036854775808,9223372036854775807,18446744073709551616"})
    void parsesSeedRangesUpToTheRangeOfAllSeeds(String text, long first, long last, BigInteger count) {
        SeedRange range = new SeedRange.Converter().convert(text);
        assertThat(range).isEqualTo(new SeedRange(first, last)).hasToString(text);
        assertThat(range.count()).isEqualTo(count);
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', value = {"1-5,'1-5' is not a range of seeds: write 1..1000",
        "1..,'1..' is not a range of seeds: write 1..1000", "5..3,'5..3' ends before it starts: write 3..5",
        "1..9223372036854775808,'9223372036854775808' is not a seed: seeds are from -9223372036854775808 to 9223372036854775807"})
    void rejectsInvalidSeedRanges(String text, String message) {
        assertThatThrownBy(() -> new SeedRange.Converter().convert(text)).isInstanceOf(TypeConversionException.class)
                .hasMessage(message);
    }

    @Test
    void computesTheMedian() {
        assertThat(SeedRuns.median(new TreeMap<>(Map.of(1L, 1L, 5L, 1L, 9L, 1L)))).isEqualTo(5);
        assertThat(SeedRuns.median(new TreeMap<>(Map.of(1L, 2L, 5L, 2L)))).isEqualTo(1);
        assertThat(SeedRuns.median(new TreeMap<>(Map.of(1L, 1L, 5L, 4L)))).isEqualTo(5);
        assertThat(SeedRuns.median(new TreeMap<>())).isZero();
    }

    @ParameterizedTest
    @CsvSource({"localhost:8090,localhost,8090", "[::1]:8080,::1,8080", "127.0.0.1:1,127.0.0.1,1", "a.b-c:65535,a.b-c,65535"})
    void parsesHostAndPort(String text, String host, int port) {
        assertThat(new HostPort.Converter().convert(text)).isEqualTo(new HostPort(host, port)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", ":8080", "localhost:", "localhost:0", "localhost:65536", "localhost:http", "::1:8080",
        "[]:80", "h:-1"})
    void rejectsInvalidHostsAndPorts(String text) {
        assertThatThrownBy(() -> new HostPort.Converter().convert(text)).isInstanceOf(TypeConversionException.class)
                .hasMessageContaining("write localhost:8080 or [::1]:8080");
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"127.0.0.1;('127.0.0.1', 54321)", "::1;('::1', 54321, 0, 0)",
        "fe80::2%3;('fe80::2', 54321, 0, 3)", "2001:db8:0:0:1:0:0:1;('2001:db8::1:0:0:1', 54321, 0, 0)"})
    void formatsAddressesAsPythonDoes(String host, String printed) throws Exception {
        assertThat(PythonAddress.of(new InetSocketAddress(InetAddress.getByName(host), 54321))).isEqualTo(printed);
    }

    @Test
    void truncatesLongTextWithoutMovingTheBuffer() {
        ByteBuffer bytes = ByteBuffer.wrap("y".repeat(300).getBytes(StandardCharsets.US_ASCII));
        assertThat(EscapedText.of(bytes)).isEqualTo("y".repeat(200) + "...");
        assertThat(EscapedText.ofAll(bytes)).hasSize(300);
        assertThat(bytes.remaining()).isEqualTo(300);
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', value = {"`a\tb\n`,UTF-8,`a\tb\n`", "a\u001b[2J\u007f,UTF-8,a?[2J?",
        "\u00e9\u20ac\ud83d\ude00,UTF-8,\u00e9\u20ac\ud83d\ude00",
        "x\u0085\u009b31m,UTF-8,x??31m", "\u202eab\u2066c\u200fd\u061c,UTF-8,?ab?c?d?", "a\u200db,UTF-8,a\u200db",
        "x\u009b\u0085\u00e9,ISO-8859-1,x??\u00e9", "x\u009b31m,US-ASCII,x?31m"})
    void replacesWhatATerminalObeys(String text, String charset, String printed) {
        Charset encoding = Charset.forName(charset);
        byte[] bytes = text.getBytes(charset.equals("US-ASCII") ? StandardCharsets.ISO_8859_1 : encoding);
        assertThat(new String(new PrintableFilter(encoding).filter(bytes), encoding)).isEqualTo(printed);
        PrintableFilter byteByByte = new PrintableFilter(encoding);
        ByteArrayOutputStream parts = new ByteArrayOutputStream();
        for (byte b : bytes) {
            parts.writeBytes(byteByByte.filter(new byte[]{b}));
        }
        assertThat(parts.toString(encoding)).isEqualTo(printed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"9b", "c0af", "c2", "e280", "eda080", "f8808080", "fe", "f4908080", "e08080"})
    void replacesBytesThatAreNotUtf8(String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex + "41");
        assertThat(new String(new PrintableFilter(StandardCharsets.UTF_8).filter(bytes), StandardCharsets.US_ASCII))
                .matches("\\?+A");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "40626f62", "c3a9", "ff", "c3", "41ff42e282", "f09f9880ff", "eda080", "edb3bf"})
    void keepsEveryByteOfAnArgument(String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        assertThat(RawText.bytes(RawText.of(bytes))).isEqualTo(bytes);
    }

    @Test
    void aStuckLogDropsLinesAndCountsThem() throws Exception {
        Semaphore reader = new Semaphore(0);
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        LogQueue log = new LogQueue(new OutputStream() {
            @Override
            public void write(int b) {
                throw new AssertionError("only whole arrays are written");
            }

            @Override
            public void write(byte[] bytes, int offset, int count) {
                reader.acquireUninterruptibly();
                read.write(bytes, offset, count);
            }
        }, StandardCharsets.US_ASCII);
        byte[] line = ("y".repeat(999) + "\n").getBytes(StandardCharsets.US_ASCII);
        int lines = 3 * LogQueue.BYTES_MAX / line.length;
        for (int i = 0; i < lines; i++) {
            log.write(line, 0, line.length); // does not wait, although the target is stuck
        }
        reader.release(1000);
        log.awaitWritten();
        List<String> written = read.toString(StandardCharsets.US_ASCII).lines().toList();
        assertThat(written.getLast()).matches("\\.\\.\\. \\d+ lines? w(as|ere) dropped here: .*");
        // The writer may have taken its first lines while others were still dropped: then there is a notice in between, too.
        int counted = 0;
        for (String each : written) {
            counted += each.startsWith("...") ? Integer.parseInt(each.replaceAll("\\D", "")) : 1;
        }
        assertThat(counted).isEqualTo(lines);
    }

    @Test
    void writesALogMessageAsOneLineWithoutControlCharacters() {
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        PrintStream before = System.err;
        System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
        try {
            new StderrLoggerFinder().getLogger("a.b", getClass().getModule())
                    .log(System.Logger.Level.WARNING, "it failed", new IllegalStateException("x\r\n\u001b[2Jy\u009bz"));
        } finally {
            System.setErr(before);
        }
        assertThat(log.toString(StandardCharsets.UTF_8))
                .endsWith(" WARNING a.b: it failed: java.lang.IllegalStateException: x\\x0d \\x1b[2Jy\\xc2\\x9bz"
                        + System.lineSeparator());
    }
}
