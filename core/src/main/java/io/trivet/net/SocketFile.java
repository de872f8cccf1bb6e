package io.trivet.net;

import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How the file of a listening Unix domain socket is created. On Linux, a process needs permission to write to the file to connect to
 * it. Immutable; any thread.
 *
 * @param mode the permissions; null: as the umask of the process permits, usually {@code rwxr-xr-x}, which lets only its own user
 *     and root connect
 * @param owner the name or number of the user that owns the file; null: the user of the process. Changing it needs a privilege
 * @param group the name or number of the file's group; null: the group of the process. An unprivileged process may choose one of its
 *     own groups
 */
public record SocketFile(@Nullable Set<PosixFilePermission> mode, @Nullable String owner, @Nullable String group) {
    private static final SocketFile DEFAULTS = new SocketFile(null, null, null);
    private static final int BITS_MAX = 0777;

    /** Copies the set. */
    public SocketFile {
        mode = mode == null ? null
                : Collections.unmodifiableSet(mode.isEmpty() ? EnumSet.noneOf(PosixFilePermission.class) : EnumSet.copyOf(mode));
    }

    /**
     * Returns the defaults: nothing is changed.
     *
     * @return the defaults
     */
    public static SocketFile defaults() {
        return DEFAULTS;
    }

    /**
     * Returns a copy with other permissions.
     *
     * @param text octal as for chmod(1), {@code 660}, or symbolic, {@code rw-rw----}
     * @return the copy
     * @throws IllegalArgumentException the text is neither; the message contains it
     */
    public SocketFile withMode(String text) {
        if (text.matches("[0-7]{3,4}") && Integer.parseInt(text, 8) <= BITS_MAX) {
            return new SocketFile(ofBits(Integer.parseInt(text, 8)), owner, group);
        }
        if (!text.matches("([r-][w-][x-]){3}")) {
            throw new IllegalArgumentException("'" + text + "' is not a mode: write 660 or rw-rw----");
        }
        return new SocketFile(PosixFilePermissions.fromString(text), owner, group);
    }

    private static Set<PosixFilePermission> ofBits(int bits) {
        StringBuilder text = new StringBuilder();
        for (int i = 8; i >= 0; i--) {
            text.append((bits >> i & 1) == 0 ? '-' : "xwr".charAt(i % 3));
        }
        return PosixFilePermissions.fromString(text.toString());
    }

    /**
     * Returns a copy with another owner.
     *
     * @param user the name or number of a user
     * @return the copy
     */
    public SocketFile withOwner(String user) {
        return new SocketFile(mode, user, group);
    }

    /**
     * Returns a copy with another group.
     *
     * @param name the name or number of a group
     * @return the copy
     */
    public SocketFile withGroup(String name) {
        return new SocketFile(mode, owner, name);
    }
}
