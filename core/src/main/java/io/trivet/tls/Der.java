package io.trivet.tls;

import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The little of DER (ITU-T X.690) that is needed to turn the older formats of private keys, PKCS #1 (RFC 8017) and SEC 1 (RFC 5915),
 * into PKCS #8 (RFC 5208), which is all that the JDK reads.
 */
final class Der {
    private static final int SEQUENCE = 0x30;
    private static final int OCTET_STRING = 0x04;
    /** Tag of the field {@code parameters} of an ECPrivateKey. */
    private static final int PARAMETERS = 0xa0;
    private static final byte[] VERSION_0 = {2, 1, 0};
    /** AlgorithmIdentifier of rsaEncryption, 1.2.840.113549.1.1.1, with the parameters NULL. */
    private static final byte[] RSA = {0x30, 13, 6, 9, 0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 13, 1, 1, 1, 5, 0};
    /** OBJECT IDENTIFIER of id-ecPublicKey, 1.2.840.10045.2.1. */
    private static final byte[] EC = {6, 7, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 2, 1};

    private Der() {}

    /** Returns the PKCS #8 form of an RSAPrivateKey. */
    static byte[] ofRsaKey(byte[] key) {
        return value(SEQUENCE, VERSION_0, RSA, value(OCTET_STRING, key));
    }

    /** Returns the PKCS #8 form of an ECPrivateKey, or null if it does not name its curve, or is malformed. */
    static byte @Nullable [] ofEcKey(byte[] key) {
        byte[] curve = curve(key);
        return curve == null ? null : value(SEQUENCE, VERSION_0, value(SEQUENCE, EC, curve), value(OCTET_STRING, key));
    }

    private static byte @Nullable [] curve(byte[] key) {
        try {
            ByteBuffer content = content(ByteBuffer.wrap(key));
            while (content.hasRemaining()) {
                int tag = content.get(content.position()) & 0xff;
                ByteBuffer field = content(content);
                if (tag == PARAMETERS) {
                    byte[] curve = new byte[field.remaining()];
                    field.get(curve);
                    return curve;
                }
            }
            return null;
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            return null;
        }
    }

    /** Reads one value, and returns its content. */
    private static ByteBuffer content(ByteBuffer from) {
        from.get();
        int length = from.get() & 0xff;
        if (length > 0x80) {
            int bytes = length & 0x7f;
            length = 0;
            for (int i = 0; i < bytes; i++) {
                length = (length << 8) | (from.get() & 0xff);
            }
        }
        ByteBuffer content = from.slice();
        content.limit(length);
        from.position(from.position() + length);
        return content;
    }

    private static byte[] value(int tag, byte[]... content) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (byte[] part : content) {
            body.writeBytes(part);
        }
        ByteArrayOutputStream value = new ByteArrayOutputStream();
        value.write(tag);
        int length = body.size();
        if (length < 0x80) {
            value.write(length);
        } else {
            int bytes = (Integer.SIZE - Integer.numberOfLeadingZeros(length) + 7) / 8;
            value.write(0x80 | bytes);
            for (int i = bytes - 1; i >= 0; i--) {
                value.write(length >>> (8 * i));
            }
        }
        value.writeBytes(body.toByteArray());
        return value.toByteArray();
    }
}
