package io.trivet.scenarios;

import java.io.ByteArrayOutputStream;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A header of the PROXY protocol that is drawn for a {@link Trial}, and what a server must make of it.
 */
final class DrawnProxyHeader {
    /** What a header says. */
    enum Meaning {
        /** The address of a client. */
        CLIENT,
        /** Nothing about the client: the address of the proxy counts. */
        UNKNOWN,
        /** The proxy has connected for itself. */
        LOCAL,
        /** It is no header. */
        WRONG,
        /** It is the beginning of a header. */
        INCOMPLETE
    }

    private static final byte[] SIGNATURE = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
    private static final int FIXED_BYTES = 16;
    private static final int BYTES_MAX = 4096;
    private static final int LINE_BYTES_MAX = 107;
    private static final int UNIX_BYTES = 216;
    private static final int PROXY = 0x21;
    private static final int LOCAL = 0x20;

    private final byte[] bytes;
    private final Meaning meaning;
    private final @Nullable InetSocketAddress client;

    private DrawnProxyHeader(byte[] bytes, Meaning meaning, @Nullable InetSocketAddress client) {
        this.bytes = bytes;
        this.meaning = meaning;
        this.client = client;
    }

    /** Returns the header. */
    byte[] bytes() {
        return bytes;
    }

    /** Returns what it says. */
    Meaning meaning() {
        return meaning;
    }

    /** Returns the address of the client, if it has one. */
    @Nullable
    InetSocketAddress client() {
        return client;
    }

    /** Draws a header of a client. */
    static DrawnProxyHeader draw(SeededRandom random, InetSocketAddress client, InetSocketAddress to) {
        return switch (random.below(16)) {
            case 0, 1, 2 -> ofClient(line(client, to), client);
            case 3, 4 -> ofClient(binary(PROXY, family(client), addresses(client), new byte[0]), client);
            case 5, 6 -> ofClient(binary(PROXY, family(client), addresses(client), withChecksum(extensions(random), 0)), client);
            case 7 -> unknownLine(random);
            case 8, 9 -> unknown(random, client);
            case 10, 11 -> local(random, client);
            case 12 -> wrong(MessageContent.ascii(wrongLine(random, client, to)));
            case 13 -> wrong(wrongBinary(random, client));
            case 14 -> longest(random, client);
            default -> incomplete(random, client, to);
        };
    }

    private static DrawnProxyHeader ofClient(byte[] bytes, InetSocketAddress client) {
        return new DrawnProxyHeader(finish(bytes), Meaning.CLIENT, client);
    }

    private static DrawnProxyHeader wrong(byte[] bytes) {
        return new DrawnProxyHeader(bytes, Meaning.WRONG, null);
    }

    private static DrawnProxyHeader incomplete(SeededRandom random, InetSocketAddress client, InetSocketAddress to) {
        byte[] whole = random.chance(50) ? line(client, to) : binary(PROXY, family(client), addresses(client), new byte[0]);
        return new DrawnProxyHeader(Arrays.copyOf(whole, random.below(whole.length)), Meaning.INCOMPLETE, null);
    }

    // ---- version 1

    private static String text(InetSocketAddress address) {
        return address.getAddress().getHostAddress();
    }

    private static boolean isIpv4(InetSocketAddress address) {
        return address.getAddress() instanceof Inet4Address;
    }

    private static byte[] line(InetSocketAddress client, InetSocketAddress to) {
        return MessageContent.ascii(isIpv4(client) ? line("TCP4", text(client), text(to), client.getPort(), to.getPort())
                : line("TCP6", text(client), "2001:db8::1", client.getPort(), to.getPort()));
    }

    private static String line(String family, String from, String to, Object fromPort, Object toPort) {
        return "PROXY " + family + ' ' + from + ' ' + to + ' ' + fromPort + ' ' + toPort + "\r\n";
    }

    /** Returns a line without addresses, up to the longest one, or one that is too long. */
    private static DrawnProxyHeader unknownLine(SeededRandom random) {
        String start = "PROXY UNKNOWN";
        int length = random.number(start.length() + 2, start.length() + 20, LINE_BYTES_MAX - 1, LINE_BYTES_MAX,
                LINE_BYTES_MAX + 1);
        String line = start + (length == start.length() + 2 ? "" : ' ' + "f".repeat(length - start.length() - 3)) + "\r\n";
        return length > LINE_BYTES_MAX ? wrong(MessageContent.ascii(line))
                : new DrawnProxyHeader(MessageContent.ascii(line), Meaning.UNKNOWN, null);
    }

    private static String wrongLine(SeededRandom random, InetSocketAddress client, InetSocketAddress to) {
        boolean four = isIpv4(client);
        String other = four ? "2001:db8::1" : "192.0.2.1";
        String same = four ? text(to) : "2001:db8::1";
        String family = four ? "TCP4" : "TCP6";
        return switch (random.below(12)) {
            case 0 -> line(family, text(client), other, client.getPort(), 80);
            case 1 -> line(family, other, same, client.getPort(), 80);
            case 2 -> line(four ? "TCP6" : "TCP4", text(client), same, client.getPort(), 80);
            case 3 -> line(family, text(client), same, 65_536, 80);
            case 4 -> line(family, text(client), same, 1, "080");
            case 5 -> line(family, text(client), same, 1, "80 1");
            case 6 -> line("TCP", text(client), same, 1, 80);
            case 7 -> "PROXY " + family + " " + text(client) + " " + same + " 1 80\n";
            case 8 -> line(family, four ? "192.0.2" : "2001:db8::/32", same, 1, 80);
            case 9 -> line(family, text(client), same, -1, 80);
            case 10 -> "PROXX TCP4 1 2 3 4\r\n";
            default -> "GET / HTTP/1.1\n";
        };
    }

    // ---- version 2

    private static int family(InetSocketAddress client) {
        return isIpv4(client) ? 0x11 : 0x21;
    }

    private static byte[] addresses(InetSocketAddress client) {
        byte[] ip = client.getAddress().getAddress();
        return ByteBuffer.allocate(2 * ip.length + 4).put(ip).put(new byte[ip.length]).putShort((short) client.getPort())
                .putShort((short) 80).array();
    }

    private static byte[] binary(int command, int family, byte[] addresses, byte[] extensions) {
        return ByteBuffer.allocate(FIXED_BYTES + addresses.length + extensions.length).put(SIGNATURE).put((byte) command)
                .put((byte) family).putShort((short) (addresses.length + extensions.length)).put(addresses).put(extensions)
                .array();
    }

    /** Computes the checksum of a header whose first extension is one; other headers stay as they are. */
    private static byte[] finish(byte[] header) {
        int family = header[0] == 'P' || header.length < FIXED_BYTES ? 0 : header[13] >> 4;
        int at = family == 0 ? header.length : FIXED_BYTES + (family == 1 ? 12 : family == 2 ? 36 : UNIX_BYTES);
        if (at + 7 <= header.length && header[at] == 3) {
            ByteBuffer bytes = ByteBuffer.wrap(header);
            int wrongBits = bytes.getInt(at + 3);
            bytes.putInt(at + 3, 0);
            CRC32C crc = new CRC32C();
            crc.update(header);
            bytes.putInt(at + 3, (int) crc.getValue() ^ wrongBits);
        }
        return header;
    }

    /** Returns extensions behind a checksum, in which these bits will be wrong: see {@link #finish}. */
    private static byte[] withChecksum(byte[] extensions, int wrongBits) {
        return ByteBuffer.allocate(7 + extensions.length).put((byte) 3).putShort((short) 4).putInt(wrongBits).put(extensions)
                .array();
    }

    /** Returns extensions of any type and length. */
    private static byte[] extensions(SeededRandom random) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int count = random.between(0, 3);
        for (int i = 0; i < count; i++) {
            bytes.writeBytes(extension(random.number(1, 2, 4, 5, 0x20, 0xe0), (int) random.logUniform(0, 400)));
        }
        return bytes.toByteArray();
    }

    private static byte[] extension(int type, int length) {
        return ByteBuffer.allocate(3 + length).put((byte) type).putShort((short) length).array();
    }

    /** Returns a header without the address of a TCP client: of a datagram, of a Unix domain socket, or without any. */
    private static DrawnProxyHeader unknown(SeededRandom random, InetSocketAddress client) {
        byte[] bytes = switch (random.below(5)) {
            case 0 -> binary(PROXY, 0, new byte[0], new byte[0]);
            case 1 -> binary(PROXY, random.number(0, 1, 2), new byte[random.between(1, 40)], new byte[0]); // bytes of any meaning
            case 2 -> binary(PROXY, 0x30 | random.below(3), new byte[UNIX_BYTES], extensions(random));
            case 3 -> binary(PROXY, family(client) + 1, addresses(client), withChecksum(extensions(random), 0));
            default -> binary(PROXY, family(client) - 1, addresses(client), extensions(random));
        };
        return new DrawnProxyHeader(finish(bytes), Meaning.UNKNOWN, null);
    }

    /** Returns a header of the proxy itself, whose addresses are ignored, also if they are cut. */
    private static DrawnProxyHeader local(SeededRandom random, InetSocketAddress client) {
        byte[] addresses = addresses(client);
        byte[] bytes = switch (random.below(4)) {
            case 0, 1 -> binary(LOCAL, 0, new byte[0], new byte[0]);
            case 2 -> binary(LOCAL, family(client), addresses, withChecksum(extensions(random), 0));
            default -> binary(LOCAL, family(client), Arrays.copyOf(addresses, addresses.length - 1), new byte[0]);
        };
        return new DrawnProxyHeader(finish(bytes), Meaning.LOCAL, null);
    }

    private static byte[] wrongBinary(SeededRandom random, InetSocketAddress client) {
        byte[] addresses = addresses(client);
        int family = family(client);
        byte[] cut = Arrays.copyOf(extension(4, 9), 3 + random.below(9));
        return finish(switch (random.below(9)) {
            case 0 -> binary(random.number(0x22, 0x31, 0x11, 0x2f), family, addresses, new byte[0]);
            case 1 -> binary(PROXY, random.number(0x41, 0x13, 0x2f, 0xf1), addresses, new byte[0]);
            case 2 -> binary(PROXY, family, Arrays.copyOf(addresses, addresses.length - 1), new byte[0]);
            case 3 -> binary(PROXY, family, addresses, cut);
            case 4 -> binary(PROXY, family, addresses, new byte[random.between(1, 2)]);
            case 5 -> binary(PROXY, family, addresses, extension(3, random.number(0, 3, 5)));
            case 6 ->
                binary(random.number(PROXY, LOCAL), family, addresses, withChecksum(extensions(random), 1 << random.below(31)));
            case 7 -> binary(PROXY, 0x31, new byte[UNIX_BYTES - 1], new byte[0]);
            default -> Arrays.copyOf(MessageContent.ascii("\r\n\r\nQUIT\n"), 9);
        });
    }

    /** Returns a header of the greatest length, or one that is longer. */
    private static DrawnProxyHeader longest(SeededRandom random, InetSocketAddress client) {
        byte[] addresses = addresses(client);
        int over = random.number(-1, 0, 1, 5_000);
        byte[] bytes = binary(PROXY, family(client), addresses,
                extension(4, BYTES_MAX - FIXED_BYTES - addresses.length - 3 + over));
        return over > 0 ? wrong(bytes) : ofClient(bytes, client);
    }

    /** Returns the address under which a connection counts whose proxy has sent this header. */
    InetAddress counted(InetAddress proxy) {
        InetSocketAddress known = client;
        return known == null ? proxy : known.getAddress();
    }
}
