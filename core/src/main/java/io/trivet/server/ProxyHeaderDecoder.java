package io.trivet.server;

import io.trivet.net.Cidr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Decodes {@linkplain ProxyHeader headers} of the PROXY protocol, strictly: what a proxy does not write is an error, and not
 * the beginning of another protocol. Extensions (TLVs) of version 2 are skipped; a checksum among them is verified. Stateless.
 */
final class ProxyHeaderDecoder {
    /** Maximum number of bytes of a header. Version 2 could describe 65,551, which no proxy sends. */
    static final int BYTES_MAX = 4096;
    /** Result of {@link #length} if more bytes are needed. */
    static final int INCOMPLETE = -1;
    /** Maximum number of bytes of a line of version 1, by its specification. */
    private static final int LINE_BYTES_MAX = 107;

    private static final byte[] LINE_START = {'P', 'R', 'O', 'X', 'Y', ' '};
    private static final int DATAGRAM = 2;
    private static final int UNIX = 3;
    private static final int UNIX_BYTES = 216;
    private static final int TLV_CHECKSUM = 0x03;

    private ProxyHeaderDecoder() {}

    /**
     * Returns the length of the header that starts at an index.
     *
     * @param to the end of the bytes, exclusive
     * @return the length; {@link #INCOMPLETE} if more bytes are needed
     * @throws ProtocolException this is not a header
     */
    static int length(ByteBuffer bytes, int from, int to) throws ProtocolException {
        if (from == to) {
            return INCOMPLETE;
        }
        if (bytes.get(from) != LINE_START[0]) {
            return binaryLength(bytes, from, to);
        }
        requireStart(bytes, from, to, LINE_START);
        for (int i = from + LINE_START.length; i < Math.min(to, from + LINE_BYTES_MAX); i++) {
            if (bytes.get(i) == '\n') {
                return i + 1 - from;
            }
        }
        if (to - from >= LINE_BYTES_MAX) {
            throw new ProtocolException("the PROXY line is longer than " + LINE_BYTES_MAX + " bytes");
        }
        return INCOMPLETE;
    }

    private static int binaryLength(ByteBuffer bytes, int from, int to) throws ProtocolException {
        requireStart(bytes, from, to, ProxyHeader.SIGNATURE);
        if (to - from < ProxyHeader.FIXED_BYTES) {
            return INCOMPLETE;
        }
        int length = ProxyHeader.FIXED_BYTES + unsignedShort(bytes, from + 14);
        if (length > BYTES_MAX) {
            throw new ProtocolException("the PROXY header has " + length + " bytes, more than " + BYTES_MAX);
        }
        return to - from < length ? INCOMPLETE : length;
    }

    private static void requireStart(ByteBuffer bytes, int from, int to, byte[] start) throws ProtocolException {
        for (int i = 0; i < Math.min(to - from, start.length); i++) {
            if (bytes.get(from + i) != start[i]) {
                throw new ProtocolException("the proxy has sent no PROXY header: byte " + i + " is 0x"
                        + Integer.toHexString(bytes.get(from + i) & 0xff));
            }
        }
    }

    /**
     * Decodes a complete header.
     *
     * @param length its {@link #length}
     * @throws ProtocolException it is malformed
     */
    static ProxyHeader decode(ByteBuffer bytes, int from, int length) throws ProtocolException {
        byte[] header = new byte[length];
        bytes.get(from, header);
        return header[0] == LINE_START[0] ? decodeLine(header) : decodeBinary(ByteBuffer.wrap(header));
    }

    // ---- version 1

    private static ProxyHeader decodeLine(byte[] line) throws ProtocolException {
        if (line[line.length - 2] != '\r') {
            throw new ProtocolException("the PROXY line does not end with CR LF");
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < line.length - 2; i++) {
            text.append((char) (line[i] & 0xff));
        }
        String[] words = text.toString().split(" ", -1);
        boolean four = words[1].equals("TCP4");
        if (words[1].equals("UNKNOWN")) { // the rest of the line is not for us
            return new ProxyHeader(1, false, null, null);
        }
        if (words.length != 6 || !(four || words[1].equals("TCP6"))) {
            throw new ProtocolException(
                    "the PROXY line must be PROXY TCP4 or TCP6 SOURCE DESTINATION PORT PORT, or PROXY UNKNOWN: "
                            + text);
        }
        return new ProxyHeader(1, false, new InetSocketAddress(address(words[2], four), port(words[4])),
                new InetSocketAddress(address(words[3], four), port(words[5])));
    }

    private static InetAddress address(String word, boolean four) throws ProtocolException {
        try {
            if (four == word.indexOf(':') < 0 && word.indexOf('/') < 0) {
                Cidr.of(word); // is stricter than InetAddress: no scope, no short forms
                return InetAddress.ofLiteral(word);
            }
        } catch (IllegalArgumentException e) {
            // Refused below.
        }
        throw new ProtocolException("the PROXY line has an address that is not " + (four ? "IPv4: " : "IPv6: ") + word);
    }

    private static int port(String word) throws ProtocolException {
        if (!word.matches("0|[1-9][0-9]{0,4}") || Integer.parseInt(word) > 0xffff) {
            throw new ProtocolException("the PROXY line has a port that is not from 0 to 65535: " + word);
        }
        return Integer.parseInt(word);
    }

    // ---- version 2

    private static ProxyHeader decodeBinary(ByteBuffer header) throws ProtocolException {
        int command = header.get(12) & 0xff;
        int protocol = header.get(13) & 0xff;
        if (command != ProxyHeader.COMMAND_LOCAL && command != ProxyHeader.COMMAND_PROXY) {
            throw new ProtocolException("the PROXY header has the unknown version and command 0x" + Integer.toHexString(command));
        }
        int family = protocol >> 4;
        if (family > UNIX || (protocol & 0xf) > DATAGRAM) {
            throw new ProtocolException("the PROXY header has the unknown family 0x" + Integer.toHexString(protocol));
        }
        int addressBytes = switch (family) {
            case 1 -> ProxyHeader.TCP4_BYTES;
            case 2 -> ProxyHeader.TCP6_BYTES;
            case UNIX -> UNIX_BYTES;
            default -> 0;
        };
        boolean local = command == ProxyHeader.COMMAND_LOCAL;
        int addressEnd = ProxyHeader.FIXED_BYTES + addressBytes;
        if (addressEnd > header.limit()) {
            if (local) { // the specification lets a receiver ignore the addresses of LOCAL
                return new ProxyHeader(2, true, null, null);
            }
            throw new ProtocolException("the PROXY header is too short for its addresses: " + header.limit() + " bytes");
        }
        if (family != 0) { // the bytes after an unspecified family may be anything
            checkExtensions(header, addressEnd);
        }
        if (local || (protocol != ProxyHeader.TCP4 && protocol != ProxyHeader.TCP6)) {
            return new ProxyHeader(2, local, null, null);
        }
        int ip = protocol == ProxyHeader.TCP4 ? 4 : 16;
        int from = ProxyHeader.FIXED_BYTES;
        return new ProxyHeader(2, false, socketAddress(header, from, ip, from + 2 * ip),
                socketAddress(header, from + ip, ip, from + 2 * ip + 2));
    }

    private static InetSocketAddress socketAddress(ByteBuffer header, int from, int length, int port) {
        byte[] ip = new byte[length];
        header.get(from, ip);
        try {
            return new InetSocketAddress(InetAddress.getByAddress(ip), unsignedShort(header, port));
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e); // only for another number of bytes
        }
    }

    private static void checkExtensions(ByteBuffer header, int from) throws ProtocolException {
        int at = from;
        while (at < header.limit()) {
            int left = header.limit() - at;
            int length = left < 3 ? left : unsignedShort(header, at + 1);
            if (left < 3 + length) {
                throw new ProtocolException("the PROXY header ends within an extension");
            }
            if (header.get(at) == TLV_CHECKSUM) {
                checkChecksum(header, at + 3, length);
            }
            at += 3 + length;
        }
    }

    private static void checkChecksum(ByteBuffer header, int at, int length) throws ProtocolException {
        if (length != Integer.BYTES) {
            throw new ProtocolException("the checksum of the PROXY header has " + length + " bytes");
        }
        int expected = header.getInt(at);
        ByteBuffer zeroed = ByteBuffer.allocate(header.limit()).put(0, header, 0, header.limit()).putInt(at, 0);
        CRC32C crc = new CRC32C();
        crc.update(zeroed);
        if ((int) crc.getValue() != expected) {
            throw new ProtocolException("the checksum of the PROXY header is wrong");
        }
    }

    private static int unsignedShort(ByteBuffer bytes, int at) {
        return (bytes.get(at) & 0xff) << 8 | (bytes.get(at + 1) & 0xff); // whatever the order of the buffer
    }
}
