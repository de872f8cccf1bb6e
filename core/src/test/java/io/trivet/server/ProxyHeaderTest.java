package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Headers of the PROXY protocol: encoded, decoded, and malformed. */
final class ProxyHeaderTest {
    private static final InetSocketAddress CLIENT = address("192.0.2.1", 56324);
    private static final InetSocketAddress SERVICE = address("198.51.100.2", 443);
    private static final InetSocketAddress CLIENT6 = address("2001:db8::1", 65535);
    private static final InetSocketAddress SERVICE6 = address("2001:db8::2", 0);

    private static InetSocketAddress address(String ip, int port) {
        return new InetSocketAddress(InetAddress.ofLiteral(ip), port);
    }

    private static ByteBuffer line(String text) {
        return ByteBuffer.wrap(text.replace("CR", "\r").replace("LF", "\n").getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Returns a header of version 2 with a body. */
    private static ByteBuffer binary(int command, int family, byte... body) {
        return ByteBuffer.allocate(16 + body.length).put(ProxyHeader.SIGNATURE).put((byte) command).put((byte) family)
                .putShort((short) body.length).put(body).flip();
    }

    private static byte[] tcp4(byte... extensions) {
        return ByteBuffer.allocate(12 + extensions.length).put(new byte[]{10, 0, 0, 1, 10, 0, 0, 2}).putShort((short) 1000)
                .putShort((short) 80).put(extensions).array();
    }

    private static ProxyHeader decode(ByteBuffer bytes) throws ProtocolException {
        int length = ProxyHeaderDecoder.length(bytes, bytes.position(), bytes.limit());
        assertThat(length).as("length").isEqualTo(bytes.remaining());
        return ProxyHeaderDecoder.decode(bytes, bytes.position(), length);
    }

    @Test
    void encodedHeadersAreThoseOfTheSpecification() {
        assertThat(LoopParts.text(ProxyHeader.v1(CLIENT, SERVICE).encode()))
                .isEqualTo("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n");
        assertThat(LoopParts.text(ProxyHeader.v1(CLIENT6, SERVICE6).encode()))
                .isEqualTo("PROXY TCP6 2001:db8:0:0:0:0:0:1 2001:db8:0:0:0:0:0:2 65535 0\r\n");
        assertThat(LoopParts.text(ProxyHeader.v1(CLIENT, SERVICE6).encode()))
                .isEqualTo("PROXY TCP6 ::ffff:192.0.2.1 2001:db8:0:0:0:0:0:2 56324 0\r\n");
        assertThat(ProxyHeader.local().encode()).isEqualTo(binary(0x20, 0));
        assertThat(ProxyHeader.v2(address("10.0.0.1", 1000), address("10.0.0.2", 80)).encode())
                .isEqualTo(binary(0x21, 0x11, tcp4()));
    }

    @Test
    void encodedHeadersAreDecoded() throws ProtocolException {
        for (ProxyHeader header : new ProxyHeader[]{ProxyHeader.v1(CLIENT, SERVICE), ProxyHeader.v1(CLIENT6, SERVICE6),
            ProxyHeader.v2(CLIENT, SERVICE), ProxyHeader.v2(CLIENT6, SERVICE6), ProxyHeader.v1(CLIENT, SERVICE6),
            ProxyHeader.v2(CLIENT6, SERVICE), ProxyHeader.local()}) {
            ProxyHeader decoded = decode(header.encode());
            assertThat(decoded).isEqualTo(header).hasSameHashCodeAs(header).hasToString(header.toString());
            assertThat(decoded.isLocal()).isEqualTo(header.isLocal());
            assertThat(decoded.destination()).isEqualTo(header.destination());
        }
        assertThatThrownBy(() -> ProxyHeader.v2(InetSocketAddress.createUnresolved("example", 1), SERVICE))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void incompleteHeaderNeedsMoreBytesWhereverItIsCut() throws ProtocolException {
        for (ProxyHeader header : new ProxyHeader[]{ProxyHeader.v1(CLIENT6, SERVICE6), ProxyHeader.v2(CLIENT6, SERVICE6)}) {
            ByteBuffer bytes = header.encode().order(ByteOrder.LITTLE_ENDIAN);
            for (int cut = 0; cut < bytes.limit(); cut++) {
                assertThat(ProxyHeaderDecoder.length(bytes, 0, cut)).as("cut at " + cut).isEqualTo(ProxyHeaderDecoder.INCOMPLETE);
            }
            assertThat(decode(bytes)).isEqualTo(header);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PROXY UNKNOWNCRLF", "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535CRLF"})
    void unknownLineHasNoAddress(String text) throws ProtocolException {
        ProxyHeader header = decode(line(text));
        assertThat(header.source()).isNull();
        assertThat(header.isLocal()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "GET / HTTP/1.1CRLF | the proxy has sent no PROXY header: byte 0 is 0x47",
        "PROXz | the proxy has sent no PROXY header: byte 4 is 0x7a",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2LF | the PROXY line does not end with CR LF",
        "PROXY TCP5 192.0.2.1 192.0.2.2 1 2CRLF | the PROXY line must be PROXY TCP4 or TCP6 SOURCE DESTINATION PORT PORT, or PROXY UNKNOWN: PROXY TCP5 192.0.2.1 192.0.2.2 1 2",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1CRLF | the PROXY line must be PROXY TCP4 or TCP6 SOURCE DESTINATION PORT PORT, or PROXY UNKNOWN: PROXY TCP4 192.0.2.1 192.0.2.2 1",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3CRLF | the PROXY line must be PROXY TCP4 or TCP6 SOURCE DESTINATION PORT PORT, or PROXY UNKNOWN: PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3",
        "PROXY CRLF | the PROXY line must be PROXY TCP4 or TCP6 SOURCE DESTINATION PORT PORT, or PROXY UNKNOWN: PROXY ",
        "PROXY TCP4 ::1 ::2 1 2CRLF | the PROXY line has an address that is not IPv4: ::1",
        "PROXY TCP6 192.0.2.1 192.0.2.2 1 2CRLF | the PROXY line has an address that is not IPv6: 192.0.2.1",
        "PROXY TCP4 host 192.0.2.2 1 2CRLF | the PROXY line has an address that is not IPv4: host",
        "PROXY TCP4 10.1 192.0.2.2 1 2CRLF | the PROXY line has an address that is not IPv4: 10.1",
        "PROXY TCP4 10.0.0.1/32 192.0.2.2 1 2CRLF | the PROXY line has an address that is not IPv4: 10.0.0.1/32",
        "PROXY TCP6 fe80::1%1 ::2 1 2CRLF | the PROXY line has an address that is not IPv6: fe80::1%1",
        "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2CRLF | the PROXY line has a port that is not from 0 to 65535: 65536",
        "PROXY TCP4 192.0.2.1 192.0.2.2 01 2CRLF | the PROXY line has a port that is not from 0 to 65535: 01",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 -2CRLF | the PROXY line has a port that is not from 0 to 65535: -2"})
    void malformedLineIsRefusedWithTheReason(String text, String message) {
        assertThatThrownBy(() -> decode(line(text))).isInstanceOf(ProtocolException.class)
                .satisfies(e -> assertThat(e.getMessage().strip()).isEqualTo(message.strip()));
    }

    @Test
    void lineIsBounded() throws ProtocolException {
        String longest = "PROXY UNKNOWN " + "x".repeat(107 - 16) + "CRLF";
        assertThat(decode(line(longest)).source()).isNull();
        assertThatThrownBy(() -> decode(line("PROXY UNKNOWN " + "x".repeat(108 - 16) + "CRLF")))
                .hasMessage("the PROXY line is longer than 107 bytes");
    }

    @Test
    void extensionsAreSkippedAndTheirChecksumIsVerified() throws ProtocolException {
        assertThat(decode(binary(0x21, 0x11, tcp4((byte) 4, (byte) 0, (byte) 1, (byte) 9))).source())
                .isEqualTo(address("10.0.0.1", 1000));
        ByteBuffer checked = binary(0x21, 0x11,
                tcp4((byte) 4, (byte) 0, (byte) 0, (byte) 3, (byte) 0, (byte) 4, (byte) 0, (byte) 0,
                        (byte) 0, (byte) 0));
        CRC32C crc = new CRC32C();
        crc.update(checked.duplicate());
        checked.putInt(checked.limit() - 4, (int) crc.getValue());
        assertThat(decode(checked).source()).isEqualTo(address("10.0.0.1", 1000));
        checked.put(20, (byte) 7);
        assertThatThrownBy(() -> decode(checked)).hasMessage("the checksum of the PROXY header is wrong");
    }

    @Test
    void headersWithoutTcpAddressesHaveNoSource() throws ProtocolException {
        assertThat(decode(binary(0x20, 0x11, tcp4())).source()).isNull();
        assertThat(decode(binary(0x20, 0x11)).isLocal()).isTrue();
        assertThat(decode(binary(0x21, 0)).source()).isNull();
        assertThat(decode(binary(0x21, 0, (byte) 1)).source()).isNull();
        assertThat(decode(binary(0x21, 0x12, tcp4())).source()).isNull();
        assertThat(decode(binary(0x21, 0x31, new byte[216])).source()).isNull();
        assertThat(decode(binary(0x21, 0x11, new byte[4080])).source()).isNotNull();
    }

    @Test
    void malformedBinaryHeaderIsRefusedWithTheReason() {
        assertThatThrownBy(() -> decode(binary(0x11, 0x11, tcp4())))
                .hasMessage("the PROXY header has the unknown version and command 0x11");
        assertThatThrownBy(() -> decode(binary(0x22, 0x11, tcp4())))
                .hasMessage("the PROXY header has the unknown version and command 0x22");
        assertThatThrownBy(() -> decode(binary(0x21, 0x41, tcp4()))).hasMessage("the PROXY header has the unknown family 0x41");
        assertThatThrownBy(() -> decode(binary(0x21, 0x13, tcp4()))).hasMessage("the PROXY header has the unknown family 0x13");
        assertThatThrownBy(() -> decode(binary(0x21, 0x21, tcp4())))
                .hasMessage("the PROXY header is too short for its addresses: 28 bytes");
        assertThatThrownBy(() -> decode(binary(0x21, 0x11, tcp4((byte) 1, (byte) 0))))
                .hasMessage("the PROXY header ends within an extension");
        assertThatThrownBy(() -> decode(binary(0x21, 0x11, tcp4((byte) 1, (byte) 0, (byte) 1))))
                .hasMessage("the PROXY header ends within an extension");
        assertThatThrownBy(() -> decode(binary(0x21, 0x11, tcp4((byte) 3, (byte) 0, (byte) 0))))
                .hasMessage("the checksum of the PROXY header has 0 bytes");
        assertThatThrownBy(() -> decode(binary(0x21, 0x11, new byte[4081])))
                .hasMessage("the PROXY header has 4097 bytes, more than 4096");
    }

    @Test
    void randomBytesAreRefusedOrDecodedAndNothingElse() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        byte[][] good = {bytes(ProxyHeader.v1(CLIENT, SERVICE)), bytes(ProxyHeader.v2(CLIENT6, SERVICE6)),
            binary(0x21, 0x11, tcp4((byte) 3, (byte) 0, (byte) 4, (byte) 0, (byte) 0, (byte) 0, (byte) 0)).array()};
        for (int i = 0; i < 20_000; i++) {
            byte[] header = good[random.nextInt(good.length)];
            byte[] changed = Arrays.copyOf(header, random.nextInt(header.length + 8));
            for (int changes = random.nextInt(4); changes > 0 && changed.length > 0; changes--) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt();
            }
            ByteBuffer bytes = ByteBuffer.wrap(changed);
            try {
                int length = ProxyHeaderDecoder.length(bytes, 0, changed.length);
                assertThat(length).isLessThanOrEqualTo(changed.length);
                if (length != ProxyHeaderDecoder.INCOMPLETE) {
                    ProxyHeaderDecoder.decode(bytes, 0, length);
                }
            } catch (ProtocolException e) {
                assertThat(e.getMessage()).as("seed " + seed).startsWith("the ");
            }
        }
    }

    private static byte[] bytes(ProxyHeader header) {
        ByteBuffer encoded = header.encode();
        byte[] bytes = new byte[encoded.remaining()];
        encoded.get(bytes);
        return bytes;
    }
}
