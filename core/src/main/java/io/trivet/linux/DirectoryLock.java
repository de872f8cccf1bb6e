package io.trivet.linux;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;

/**
 * A lock on the directory of a socket's file (man 2 flock): processes that want to replace the same stale file do so one after the
 * other. It leaves no file behind, and ends with the process. Any process that can read the directory can hold its lock. So if only
 * this user can write to the directory, the lock is not waited for longer than a time: no other user can create a file there.
 */
final class DirectoryLock implements AutoCloseable {
    private static final Duration WAIT_MAX = Duration.ofSeconds(5);
    private static final long PAUSE_NANOS = 5_000_000;

    private static final int NONE = -1;
    private static final int GROUP_OR_OTHERS_WRITE = 022;

    private final int fd;

    private DirectoryLock(int fd) {
        this.fd = fd;
    }

    /** Locks a directory. Others hold the lock only for a few calls. */
    static DirectoryLock of(Path directory, UnixAddress address) throws IOException {
        int fd = open(directory, Libc.O_CLOEXEC | Libc.O_NONBLOCK); // O_RDONLY is 0; a FIFO in its place must not block
        if (fd < 0) {
            throw switch (-fd) {
                case Errno.ENOENT -> failure(address, ErrorCode.ENOENT, "the directory " + directory + " does not exist");
                case Errno.EACCES -> failure(address, ErrorCode.EACCES,
                        "permission denied: the directory " + directory + " must be readable, so that it can be locked");
                default -> Errno.failure("open", directory, -fd);
            };
        }
        long end = System.nanoTime() + WAIT_MAX.toNanos();
        int result = Libc.flock(fd, Libc.LOCK_EX | Libc.LOCK_NB);
        while (result == -Errno.EAGAIN && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(PAUSE_NANOS);
            result = Libc.flock(fd, Libc.LOCK_EX | Libc.LOCK_NB);
        }
        if (result < 0) {
            boolean isOwn = isWrittenOnlyByThisUser(Path.of("/proc/self/fd/" + fd));
            Libc.close(fd);
            if (result == -Errno.EAGAIN && isOwn) {
                return new DirectoryLock(NONE);
            }
            throw result == -Errno.EAGAIN
                    ? failure(address, ErrorCode.EAGAIN, "another process has held the lock of " + directory + " for "
                            + WAIT_MAX.toSeconds() + " s: use a directory that only this user can write to")
                    : Errno.failure("flock", directory, -result);
        }
        return new DirectoryLock(fd);
    }

    private static NetworkException failure(UnixAddress address, ErrorCode code, String explanation) {
        return new NetworkException("bind", address, code, code + ", " + explanation);
    }

    /** Returns the descriptor, or a negative error number. */
    static int open(Path file, int flags) {
        byte[] name = file.toString().getBytes(Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8")));
        try (Arena arena = Arena.ofConfined()) {
            long path = arena.allocateFrom(ValueLayout.JAVA_BYTE, Arrays.copyOf(name, name.length + 1)).address();
            return Libc.open(path, flags);
        }
    }

    /** Returns false if that cannot be found out. */
    private static boolean isWrittenOnlyByThisUser(Path directory) {
        try {
            int mode = (Integer) Files.getAttribute(directory, "unix:mode");
            return (mode & GROUP_OR_OTHERS_WRITE) == 0
                    && Files.getAttribute(directory, "unix:uid").equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        if (fd != NONE) {
            Libc.close(fd);
        }
    }
}
