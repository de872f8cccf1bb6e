package io.trivet.app;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.observe.CloseReason;
import io.trivet.server.Frame;
import io.trivet.server.Framing;
import io.trivet.server.FramingTester;
import io.trivet.server.Messages;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The decoders of the examples find the same messages wherever the network cuts the stream. */
final class ExampleDecodersTest {
    @TempDir static Path classes;
    private static URLClassLoader loader;

    @BeforeAll
    static void compile() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("trivet.root"), "examples"))) {
            ExamplesTest.compile(files.filter(file -> file.getFileName().toString().matches("(Resp|Mqtt|HttpRelay).*")).toList(),
                    classes);
        }
        loader = new URLClassLoader(new URL[]{classes.toUri().toURL()}, ExampleDecodersTest.class.getClassLoader());
    }

    @AfterAll
    static void close() throws IOException {
        loader.close();
    }

    /** Returns a tester of the method {@code decode} of an example's class. */
    private static FramingTester tester(String name) throws ReflectiveOperationException {
        Method decode = loader.loadClass(name).getDeclaredMethod("decode", ByteBuffer.class, int.class, int.class, Frame.class);
        decode.setAccessible(true);
        return FramingTester.of(Framing.of((in, from, to, frame) -> {
            try {
                decode.invoke(null, in, from, to, frame);
            } catch (InvocationTargetException e) {
                throw e.getCause() instanceof Exception cause ? cause : e;
            }
        }));
    }

    private static byte[] latin(String text) {
        return text.getBytes(ISO_8859_1);
    }

    private static List<String> texts(FramingTester.Decoded decoded) {
        return decoded.messages().stream().map(message -> Messages.text(message, ISO_8859_1)).toList();
    }

    // ---- MQTT: a type, the remaining length in up to 4 bytes, and what it counts

    private static byte[] packet(int length) {
        ByteArrayOutputStream packet = new ByteArrayOutputStream();
        packet.write(0x30);
        int left = length;
        do {
            packet.write((left & 127) | (left > 127 ? 128 : 0));
            left >>= 7;
        } while (left > 0);
        byte[] body = new byte[length];
        Arrays.fill(body, (byte) 0x80); // looks like a length that goes on
        packet.writeBytes(body);
        return packet.toByteArray();
    }

    @Test
    void mqttPacketsAreFound() throws Exception {
        FramingTester tester = tester("MqttPacket");
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        List<ByteBuffer> packets = new ArrayList<>();
        for (int length : new int[]{0, 1, 127, 128, 300, 0, 5}) {
            packets.add(ByteBuffer.wrap(packet(length)));
            stream.writeBytes(packet(length));
        }
        assertThat(tester.decodeCutAnywhere(stream.toByteArray()).messages()).isEqualTo(packets);
        assertThat(tester.decode(packet(16_384), 1, 2, 3, 4, 5).messages()).hasSize(1);
        assertThat(tester.decodeCutAnywhere(Arrays.copyOf(packet(300), 302)).messages()).isEmpty();
    }

    private static byte[] hex(String bytes) {
        return HexFormat.of().parseHex(bytes.replace(" ", ""));
    }

    @Test
    void mqttLengthsAreBounded() throws Exception {
        FramingTester tester = tester("MqttPacket");
        assertThatThrownBy(() -> tester.decodeCutAnywhere(hex("c000 30 80808080 01")))
                .isInstanceOf(FramingTester.Failure.class).hasMessage("a remaining length has more than 4 bytes");
        assertThatExceptionOfType(FramingTester.Failure.class)
                .isThrownBy(() -> tester.decodeCutAnywhere(hex("c000 30 ffffff7f")))
                .satisfies(failure -> {
                    assertThat(failure.reason()).isEqualTo(CloseReason.MESSAGE_TOO_LONG);
                    assertThat(failure.messages()).hasSize(1);
                });
    }

    // ---- Redis

    @Test
    void respRequestsAreFound() throws Exception {
        FramingTester tester = tester("RespRequest");
        Random random = new Random(1);
        for (int run = 0; run < 50; run++) {
            List<String> requests = new ArrayList<>();
            for (int i = random.nextInt(5); i >= 0; i--) {
                requests.add(random.nextInt(4) == 0 ? "PING " + i + "\r\n" : request(random));
            }
            assertThat(texts(tester.decodeCutAnywhere(latin(String.join("", requests))))).isEqualTo(requests);
        }
    }

    private static String request(Random random) {
        int words = 1 + random.nextInt(4);
        StringBuilder request = new StringBuilder("*" + words + "\r\n");
        for (int i = 0; i < words; i++) {
            String word = "$1\r\n*".repeat(random.nextInt(4)); // bytes that look like a request
            request.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
        }
        return request.toString();
    }

    @Test
    void respRequestThatIsTooLongIsRefusedBeforeItArrives() throws Exception {
        FramingTester tester = tester("RespRequest");
        assertThatExceptionOfType(FramingTester.Failure.class)
                .isThrownBy(() -> tester.decodeCutAnywhere(latin("PING\r\n*1\r\n$999999999\r\n")))
                .satisfies(failure -> assertThat(failure.reason()).isEqualTo(CloseReason.MESSAGE_TOO_LONG));
    }

    // ---- HTTP: a head up to an empty line

    @Test
    void httpHeadsAreFound() throws Exception {
        String head = "PUT /name HTTP/1.1\r\nHost: a\r\nContent-Length: 3";
        FramingTester.Decoded decoded = tester("HttpRelay").decodeCutAnywhere(latin("\r\n\r\n" + head + "\r\n\r\nabc"));
        assertThat(texts(decoded)).containsExactly("", head);
        assertThat(Messages.text(decoded.remainder())).isEqualTo("abc");
    }
}
