package io.trivet.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Reads certificates and private keys from PEM files (RFC 7468). Each error names the file and what is wrong with it; no message has
 * any content of a key.
 */
final class PemFile {
    /** Maximum size of a file. A bundle of all public certification authorities has about 250 KB. */
    private static final long BYTES_MAX = 16 << 20;
    private static final String PBES2 = "1.2.840.113549.1.5.13";
    private static final Pattern BLOCK = Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----", Pattern.DOTALL);
    private static final Pattern BEGIN = Pattern.compile("-----BEGIN ([A-Z0-9 ]*)");

    private final Path file;
    private final List<Block> blocks;

    private record Block(String label, String content) {
        byte[] bytes() {
            return Base64.getMimeDecoder().decode(content);
        }
    }

    private PemFile(Path file, List<Block> blocks) {
        this.file = file;
        this.blocks = blocks;
    }

    /**
     * Returns the certificates in a file, in their order.
     *
     * @return at least one
     * @throws FileSystemException the file cannot be read, or has no certificate, or a broken one
     */
    static List<X509Certificate> certificates(Path file) throws IOException {
        return read(file).certificates();
    }

    /**
     * Returns the private key in a file.
     *
     * @param password the password of an encrypted key, or null
     * @throws FileSystemException the file cannot be read, or has no key that can be used; or the password is wrong
     */
    static PrivateKey privateKey(Path file, char @Nullable [] password) throws IOException {
        return read(file).privateKey(password);
    }

    private static PemFile read(Path file) throws IOException {
        String text;
        try {
            if (Files.isDirectory(file)) {
                throw new FileSystemException(file.toString(), null, "is a directory, not a PEM file");
            }
            if (Files.size(file) > BYTES_MAX) {
                throw new FileSystemException(file.toString(), null, "is larger than 16 MiB, so it is no PEM file");
            }
            text = Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            throw wrong(file, "does not exist", e);
        } catch (AccessDeniedException e) {
            throw wrong(file, "may not be read by this user", e);
        } catch (FileSystemException e) {
            throw e;
        } catch (IOException e) {
            throw wrong(file, "cannot be read: " + e.getMessage(), e);
        }
        List<Block> blocks = new ArrayList<>();
        int end = 0;
        for (Matcher matcher = BLOCK.matcher(text); matcher.find(); end = matcher.end()) {
            checkWhole(file, text.substring(end, matcher.start()) + matcher.group(2));
            blocks.add(new Block(matcher.group(1), matcher.group(2)));
        }
        checkWhole(file, text.substring(end));
        return new PemFile(file, blocks);
    }

    /** Checks that no block begins in the text between the others, or within one: it has no end. */
    private static void checkWhole(Path file, String between) throws IOException {
        Matcher begin = BEGIN.matcher(between);
        if (begin.find()) {
            throw wrong(file,
                    "has a PEM block (" + begin.group(1)
                            + ") that begins but does not end: the file is half-written or truncated",
                    null);
        }
    }

    private List<X509Certificate> certificates() throws IOException {
        List<X509Certificate> certificates = new ArrayList<>();
        for (Block block : blocks) {
            if (block.label.equals("CERTIFICATE") || block.label.equals("TRUSTED CERTIFICATE")) {
                try {
                    certificates.add((X509Certificate) CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(block.bytes())));
                } catch (CertificateException | IllegalArgumentException e) {
                    throw wrong(file, "certificate " + (certificates.size() + 1) + " in it is broken: " + e.getMessage(), e);
                }
            }
        }
        if (certificates.isEmpty()) {
            throw wrong(file, "has no certificate: a PEM file with \"-----BEGIN CERTIFICATE-----\" is needed" + found(), null);
        }
        return certificates;
    }

    private PrivateKey privateKey(char @Nullable [] password) throws IOException {
        for (Block block : blocks) {
            if (block.label.endsWith("PRIVATE KEY")) {
                return privateKey(block, password);
            }
        }
        throw wrong(file, "has no private key: a PEM file with \"-----BEGIN PRIVATE KEY-----\" is needed" + found(), null);
    }

    private PrivateKey privateKey(Block block, char @Nullable [] password) throws IOException {
        if (block.content.contains("Proc-Type: 4,ENCRYPTED")) {
            throw wrong(file, "its key is encrypted in OpenSSL's old format. Convert it: openssl pkey -in "
                    + file + " -out new.key", null);
        }
        byte[] bytes;
        try {
            bytes = block.bytes();
        } catch (IllegalArgumentException e) {
            throw wrong(file, "its key is broken: it is not encoded in Base64", null);
        }
        return switch (block.label) {
            case "PRIVATE KEY" -> pkcs8(bytes);
            case "ENCRYPTED PRIVATE KEY" -> pkcs8(decrypt(bytes, password));
            case "RSA PRIVATE KEY" -> pkcs8(Der.ofRsaKey(bytes));
            case "EC PRIVATE KEY" -> {
                byte[] converted = Der.ofEcKey(bytes);
                if (converted == null) {
                    throw wrong(file,
                            "its EC key is broken, or does not name its curve. Convert it: openssl pkey -in "
                                    + file + " -out new.key",
                            null);
                }
                yield pkcs8(converted);
            }
            default -> throw wrong(file, "has a key of the unknown kind \"" + block.label + "\". Convert it to PKCS #8: "
                    + "openssl pkey -in " + file + " -out new.key", null);
        };
    }

    private byte[] decrypt(byte[] encrypted, char @Nullable [] password) throws IOException {
        if (password == null) {
            throw wrong(file, "its key is encrypted, and no password was given", null);
        }
        PBEKeySpec spec = new PBEKeySpec(password);
        try {
            EncryptedPrivateKeyInfo info = new EncryptedPrivateKeyInfo(encrypted);
            // The JDK names the whole scheme of PBES2, for instance PBEWithHmacSHA256AndAES_256, only by its parameters.
            String name = info.getAlgName().equals("PBES2") || info.getAlgName().equals(PBES2)
                    ? info.getAlgParameters().toString()
                    : info.getAlgName();
            Key key = SecretKeyFactory.getInstance(name).generateSecret(spec);
            Cipher cipher = Cipher.getInstance(name);
            cipher.init(Cipher.DECRYPT_MODE, key, info.getAlgParameters());
            return info.getKeySpec(cipher).getEncoded();
        } catch (InvalidKeySpecException | java.security.InvalidKeyException e) {
            throw wrong(file, "its key cannot be decrypted: the password is wrong", null);
        } catch (GeneralSecurityException | IOException | RuntimeException e) {
            throw wrong(file, "its key cannot be decrypted: it is broken, or its encryption is not supported (PBES2 with AES is)",
                    null);
        } finally {
            spec.clearPassword();
        }
    }

    private PrivateKey pkcs8(byte[] encoded) throws IOException {
        PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(encoded);
        for (String algorithm : List.of("EC", "RSA", "EdDSA", "RSASSA-PSS")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(spec);
            } catch (GeneralSecurityException e) {
                // It is a key of another algorithm.
            }
        }
        throw wrong(file, "its key is broken, or of a kind that is not supported: RSA, EC and EdDSA are", null);
    }

    private String found() {
        return blocks.isEmpty() ? "; it has no PEM block at all" : "; it has only: " + String.join(", ",
                blocks.stream().map(Block::label).distinct().toList());
    }

    static FileSystemException wrong(Path file, String reason, @Nullable Exception cause) {
        FileSystemException e = new FileSystemException(file.toString(), null, reason);
        e.initCause(cause);
        return e;
    }
}
