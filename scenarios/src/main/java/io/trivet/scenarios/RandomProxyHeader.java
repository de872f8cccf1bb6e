package io.trivet.scenarios;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A header of the PROXY protocol from a random client, right or wrong in one place. {@link DrawnProxyHeader} draws headers of a given
 * client.
 */
final class RandomProxyHeader {
    static final byte[] SIGNATURE = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
    private static final int LINE_MAX = 107;
    private static final int BINARY_MAX = 4_096;

    private final byte[] bytes;
    private final boolean valid;
    private final @Nullable InetSocketAddress source;

    private RandomProxyHeader(byte[] bytes, boolean valid, @Nullable InetSocketAddress source) {
        this.bytes = bytes;
        this.valid = valid;
        this.source = source;
    }

    /** Returns the header. */
    byte[] bytes() {
        return bytes;
    }

    /** Returns true if it is right. */
    boolean isValid() {
        return valid;
    }

    /** Returns the number of bytes after which a wrong header must be refused at the latest. */
    int decidedAt() {
        return bytes[0] == 'P' ? Math.min(bytes.length, LINE_MAX) : bytes.length;
    }

    /** Returns the client's address; null: the header has none. */
    @Nullable
    InetSocketAddress source() {
        return source;
    }

    static RandomProxyHeader draw(SeededRandom random) throws IOException {
        return random.chance(45) ? line(random) : binary(random);
    }

    // ---- version 1

    private static RandomProxyHeader line(SeededRandom random) {
        if (random.chance(20)) {
            return unknown(random);
        }
        boolean six = random.chance(50);
        String[] words = {"PROXY", six ? "TCP6" : "TCP4",
            six ? "2001:db8::" + random.between(1, 9) : "192.0.2." + random.below(256),
            six ? "::1" : "10.0.4.1", String.valueOf(random.number(0, 1, 9, 10, 80, 65_534, 65_535)), "80"};
        InetSocketAddress source = new InetSocketAddress(InetAddress.ofLiteral(words[2]), Integer.parseInt(words[4]));
        String end = "\r\n";
        boolean isValid = false;
        int address = random.number(2, 3);
        int port = random.number(4, 5);
        switch (random.below(20)) {
            case 0 -> words[1] = six ? "TCP4" : "TCP6";
            case 1 -> words[1] = random.pick("TCP5", "tcp4", "UDP4", "");
            case 2 -> words[address] = six ? "192.0.2.1" : "2001:db8::1";
            case 3 -> words[address] = six ? random.pick("2001:db8::g", "fe80::1%1", "1::2::3", "::1/64")
                    : random.pick("192.0.2.256", "192.0.2", "192.0.2.1/24", "192.0.2.1.5", "localhost", "");
            case 4, 5 -> words[port] = random.pick("65536", "01", "", "-1", "+1", "99999", "100000", "8o", "00");
            case 6 -> words = Arrays.copyOf(words, 5);
            case 7 -> words[5] += random.pick(" 1", " ", "x");
            case 8 -> words[0] = random.pick("PROXY ", "PROXX", "proxy", "PROX");
            case 9 -> end = "\n";
            default -> isValid = true;
        }
        return new RandomProxyHeader(MessageContent.ascii(String.join(" ", words) + end), isValid, source);
    }

    /** A line without addresses, sometimes about as long as a line may be. */
    private static RandomProxyHeader unknown(SeededRandom random) {
        int length = random.chance(40) ? random.number(LINE_MAX - 1, LINE_MAX, LINE_MAX + 1) : 0;
        StringBuilder text = new StringBuilder("PROXY UNKNOWN");
        if (length > 0) {
            text.append(' ').append("x".repeat(length - text.length() - 2));
        }
        return new RandomProxyHeader(MessageContent.ascii(text + "\r\n"), length <= LINE_MAX, null);
    }

    // ---- version 2

    private static RandomProxyHeader binary(SeededRandom random) throws IOException {
        boolean isValid = true;
        boolean isLocal = random.chance(20);
        int command = isLocal ? 0x20 : 0x21;
        if (random.chance(6)) {
            command = random.number(0x22, 0x11, 0x31, 0x00, 0x01, 0xa1);
            isValid = false;
            isLocal = false;
        }
        int family = random.number(0, 1, 1, 1, 2, 2, 2, 3);
        int transport = random.number(0, 1, 1, 1, 1, 2);
        if (random.chance(6)) {
            family = random.number(family, 4, 15);
            transport = family > 3 ? transport : random.number(3, 15);
            isValid = false;
        }
        int addressBytes = switch (family) {
            case 1 -> 12;
            case 2 -> 36;
            case 3 -> 216;
            default -> 0;
        };
        byte[] addresses = new byte[addressBytes];
        for (int i = 0; i < addressBytes; i++) {
            addresses[i] = (byte) random.number(0, 1, 0x7f, 0x80, 0xff, 0x20);
        }
        if (random.chance(6) && addressBytes > 0) { // too short, which a receiver of LOCAL may ignore
            byte[] head = head(command, family << 4 | transport, addresses.length - 1);
            return new RandomProxyHeader(concat(head, Arrays.copyOf(addresses, addresses.length - 1)), isValid && isLocal, null);
        }
        boolean hasAddress = isValid && !isLocal && (family == 1 || family == 2) && transport == 1;
        InetSocketAddress source = hasAddress ? source(addresses) : null;
        byte[] more = new byte[0];
        if (family == 0) { // then the rest may be anything
            more = new byte[random.number(0, 0, 1, 2, 3, 40)];
            Arrays.fill(more, (byte) 3);
        } else if (random.chance(50)) {
            Extensions extensions = new Extensions(random, 16 + addressBytes);
            more = extensions.bytes.toByteArray();
            isValid &= extensions.isValid;
        }
        byte[] all = concat(head(command, family << 4 | transport, addresses.length + more.length), concat(addresses, more));
        checksum(all, 16 + addressBytes, random, family);
        if (family != 0 && isWrong(all)) {
            isValid = false;
        }
        return new RandomProxyHeader(all, isValid && all.length <= BINARY_MAX, source);
    }

    /** A checksum that is wrong was marked by its first extension, which is of type 0xee. */
    private static boolean isWrong(byte[] all) {
        return all.length > 23 && indexOfChecksum(all) >= 0 && all[indexOfChecksum(all) - 4] == (byte) 0xee;
    }

    private static int indexOfChecksum(byte[] all) {
        for (int i = 4; i + 7 <= all.length; i++) {
            if (all[i] == 3 && all[i + 1] == 0 && all[i + 2] == 4 && all[i - 1] == (byte) 0xc5 && all[i - 2] == 1
                    && all[i - 3] == 0) {
                return i;
            }
        }
        return -1;
    }

    private static void checksum(byte[] all, int from, SeededRandom random, int family) {
        int at = family == 0 || from >= all.length ? -1 : indexOfChecksum(all);
        if (at >= from) {
            CRC32C crc = new CRC32C();
            crc.update(all);
            boolean isWrong = all[at - 4] == (byte) 0xee;
            ByteBuffer.wrap(all).putInt(at + 3, (int) crc.getValue() ^ (isWrong ? 1 << random.below(32) : 0));
        }
    }

    private static byte[] head(int command, int protocol, int length) {
        return ByteBuffer.allocate(16).put(SIGNATURE).put((byte) command).put((byte) protocol).putShort((short) length).array();
    }

    private static InetSocketAddress source(byte[] addresses) throws IOException {
        int ip = addresses.length == 12 ? 4 : 16;
        int port = (addresses[2 * ip] & 0xff) << 8 | (addresses[2 * ip + 1] & 0xff);
        return new InetSocketAddress(InetAddress.getByAddress(Arrays.copyOf(addresses, ip)), port);
    }

    static byte[] concat(byte[] one, byte[] other) {
        byte[] all = Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, all, one.length, other.length);
        return all;
    }

    /** Extensions behind the addresses: types, lengths and values; sometimes a checksum, which follows a mark. */
    private static final class Extensions {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        boolean isValid = true;

        Extensions(SeededRandom random, int before) {
            for (int i = random.between(0, 3); i > 0; i--) {
                add(random.number(1, 2, 4, 0x20, 0xff), new byte[random.number(0, 1, 255, 256, 300)]);
            }
            switch (random.below(8)) {
                case 0 -> { // ends within an extension
                    isValid = false;
                    bytes.writeBytes(
                            random.pick(new byte[]{1}, new byte[]{1, 0}, new byte[]{1, 0, 1}, new byte[]{1, 1, 0, 9, 9}));
                }
                case 1 -> {
                    isValid = false;
                    add(3, new byte[random.number(0, 3, 5)]);
                }
                case 2, 3, 4 -> {
                    add(random.chance(50) ? 0xee : 0xef, new byte[]{(byte) 0xc5});
                    add(3, new byte[4]);
                    add(4, new byte[random.number(0, 7)]);
                }
                case 5 -> { // about as long as a header may be
                    int length = BINARY_MAX - before - bytes.size() - 3 + random.number(-1, 0, 1);
                    add(5, new byte[length]);
                }
                default -> {
                    // No more.
                }
            }
        }

        private void add(int type, byte[] value) {
            bytes.write(type);
            bytes.write(value.length >> 8);
            bytes.write(value.length);
            bytes.writeBytes(value);
        }
    }
}
