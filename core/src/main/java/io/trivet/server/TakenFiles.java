package io.trivet.server;

import io.trivet.net.TcpListener;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The files of the Unix domain sockets that a process takes over, as they were when it got copies of the listeners. As long as a listener
 * is open, no other file has its inode. Immutable.
 */
final class TakenFiles {
    /** Device and inode of each. */
    private final Map<Path, @Nullable Object> keys = new LinkedHashMap<>();

    TakenFiles(List<TcpListener> listeners) throws IOException {
        for (TcpListener listener : listeners) {
            UnixAddress unix = UnixAddress.of(listener.localAddress());
            if (unix != null && unix.path() != null) {
                Path path = Path.of(unix.path()).toAbsolutePath();
                keys.put(path, key(path));
            }
        }
    }

    /**
     * Checks that each file is still there.
     *
     * @throws IOException one was removed or replaced: no client can reach its listener any more
     */
    void check() throws IOException {
        for (Map.Entry<Path, @Nullable Object> file : keys.entrySet()) {
            Object key = key(file.getKey());
            if (key == null || !key.equals(file.getValue())) {
                throw new IOException("the old process has ended, and the socket " + file.getKey() + " was "
                        + (key == null ? "removed" : "replaced") + ", so that clients cannot reach it: start this server again");
            }
        }
    }

    private static @Nullable Object key(Path path) throws IOException {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey();
        } catch (NoSuchFileException e) {
            return null;
        }
    }
}
