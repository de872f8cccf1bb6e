package io.trivet.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;

/** A file whose first line is a password. No message contains any part of the password. */
final class PasswordFile {
    private static final int BYTES_MAX = 1024;

    private PasswordFile() {}

    /**
     * Reads the password. Warns if other users can read it, too.
     *
     * @throws IOException the file cannot be read, or its first line is no password: the message names the file and the reason
     */
    static char[] read(Path file, PrintStream err) throws IOException {
        byte[] bytes = new byte[BYTES_MAX + 1];
        try {
            int length = lineLength(bytes, readInto(bytes, file));
            if (length == 0) {
                throw new IOException(file + ": its first line is empty, and should be a password");
            }
            if (length > BYTES_MAX) {
                throw new IOException(file + ": its first line is longer than " + BYTES_MAX + " bytes");
            }
            warnIfOthersCanRead(file, err);
            return decode(ByteBuffer.wrap(bytes, 0, length));
        } catch (CharacterCodingException e) {
            throw new IOException(file + ": its first line is not UTF-8", e);
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    private static int readInto(byte[] bytes, Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(bytes, 0, bytes.length);
        } catch (NoSuchFileException e) {
            throw new IOException(file + ": does not exist", e);
        } catch (AccessDeniedException e) {
            throw new IOException(file + ": permission denied: this user cannot read it", e);
        } catch (IOException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    private static int lineLength(byte[] bytes, int count) {
        int length = 0;
        while (length < count && bytes[length] != '\n') {
            length++;
        }
        return length > 0 && bytes[length - 1] == '\r' ? length - 1 : length;
    }

    private static char[] decode(ByteBuffer bytes) throws CharacterCodingException {
        CharBuffer decoded = StandardCharsets.UTF_8.newDecoder().decode(bytes);
        char[] password = new char[decoded.remaining()];
        decoded.get(password).clear();
        Arrays.fill(decoded.array(), '\0');
        return password;
    }

    private static void warnIfOthersCanRead(Path file, PrintStream err) throws IOException {
        if (Files.isRegularFile(file) && file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
            if (permissions.contains(PosixFilePermission.OTHERS_READ)) {
                err.println(
                        "warning: " + file + ": every user can read this password (" + PosixFilePermissions.toString(permissions)
                                + "): chmod o= protects it");
            }
        }
    }
}
