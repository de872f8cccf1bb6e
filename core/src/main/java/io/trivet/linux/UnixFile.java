package io.trivet.linux;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.SocketFile;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The file of a listening Unix domain socket. It is created without displacing a live server, among servers that take the {@link
 * DirectoryLock}, and removed only as long as it is this
 * socket's: as long as the socket is open, no other file has its inode.
 */
final class UnixFile {
    private static final int S_IFMT = 0170000;
    private static final int S_IFSOCK = 0140000;

    private final Path path;
    /** Device and inode. */
    private final Object key;

    private UnixFile(Path path, Object key) {
        this.path = path;
        this.key = key;
    }

    /**
     * Binds a socket and makes it listen, under the lock of the directory. A file that is there is removed if it is a socket at which
     * nothing listens.
     */
    static UnixFile listen(LinuxSocket socket, UnixAddress address, SocketFile settings, int backlog) throws IOException {
        Path path = Path.of(Objects.requireNonNull(address.path())).toAbsolutePath();
        try (DirectoryLock _ = DirectoryLock.of(Objects.requireNonNull(path.getParent()), address)) {
            removeStale(path, address);
            bind(socket, address);
            UnixFile file = new UnixFile(path, Objects.requireNonNull(key(path)));
            try {
                file.apply(settings, address);
                listen(socket, address, backlog);
                return file;
            } catch (IOException | RuntimeException e) {
                file.remove();
                throw e;
            }
        }
    }

    /** Returns the file of a socket that another process has bound to this address; null if there is none. */
    static @Nullable UnixFile existing(UnixAddress address) throws IOException {
        Path path = address.path() == null ? null : Path.of(address.path()).toAbsolutePath();
        Object key = path == null ? null : key(path);
        return path == null || key == null ? null : new UnixFile(path, key);
    }

    /** Binds to an address of any kind. */
    static void bind(LinuxSocket socket, UnixAddress address) throws IOException {
        Scratch scratch = Scratch.ofThread();
        int result = Libc.bind(socket.open(), scratch.address.address(), UnixSocketAddress.write(address, scratch.address));
        if (result < 0) {
            throw result == -Errno.EADDRINUSE ? inUse(address, "a server listens there")
                    : result == -Errno.EACCES ? new NetworkException("bind", address, ErrorCode.EACCES,
                            "EACCES, permission denied: a socket's file needs write permission on its directory")
                    : Errno.failure("bind", address, -result);
        }
    }

    static void listen(LinuxSocket socket, UnixAddress address, int backlog) throws IOException {
        int result = Libc.listen(socket.open(), backlog);
        if (result < 0) {
            throw Errno.failure("listen", address, -result, socket.fd());
        }
    }

    private static NetworkException inUse(UnixAddress address, String explanation) {
        return new NetworkException("bind", address, ErrorCode.EADDRINUSE, "EADDRINUSE, " + explanation);
    }

    private static void removeStale(Path path, UnixAddress address) throws IOException {
        if (key(path) == null) {
            return;
        }
        int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        if ((mode & S_IFMT) != S_IFSOCK) {
            throw inUse(address, "a file is there that is not a socket, and is not removed");
        }
        int errno = probe(address);
        switch (errno) {
            case Errno.ECONNREFUSED -> Files.deleteIfExists(path);
            case 0, Errno.EAGAIN -> throw inUse(address, "a server listens there");
            case Errno.EPROTOTYPE -> throw inUse(address, "a socket of another kind is bound there");
            case Errno.ENOENT -> {
                // Its server has just removed it.
            }
            default -> throw new NetworkException("connect", address, ErrorCode.of(errno),
                    Errno.failure("connect", null, errno).getMessage() + "; so it is not known whether a server listens there");
        }
    }

    /** Connects, and returns the error number. A live server gets a connection that ends at once. */
    private static int probe(UnixAddress address) throws IOException {
        int fd = Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0);
        if (fd < 0) {
            throw Errno.failure("socket", address, -fd);
        }
        Scratch scratch = Scratch.ofThread();
        int result = Libc.connect(fd, scratch.address.address(), UnixSocketAddress.write(address, scratch.address));
        Libc.close(fd);
        return -result;
    }

    private void apply(SocketFile settings, UnixAddress address) throws IOException {
        if (settings.owner() == null && settings.group() == null && settings.mode() == null) {
            return;
        }
        int fd = DirectoryLock.open(path, Libc.O_PATH | Libc.O_CLOEXEC);
        if (fd < 0) {
            throw Errno.failure("open", address, -fd);
        }
        try {
            // By the descriptor: another file, or a symbolic link, may take the place of this one meanwhile.
            apply(Path.of("/proc/self/fd/" + fd), settings, address);
        } finally {
            Libc.close(fd);
        }
    }

    private void apply(Path own, SocketFile settings, UnixAddress address) throws IOException {
        int type = (Integer) Files.getAttribute(own, "unix:mode") & S_IFMT;
        if (type != S_IFSOCK || !key.equals(Files.readAttributes(own, BasicFileAttributes.class).fileKey())) {
            throw inUse(address, "another process has replaced the file of the socket");
        }
        PosixFileAttributeView view = Files.getFileAttributeView(own, PosixFileAttributeView.class);
        String call = "chown";
        try {
            if (settings.owner() != null) {
                view.setOwner(principal("user", settings.owner(), UserPrincipalLookupService::lookupPrincipalByName));
            }
            if (settings.group() != null) {
                view.setGroup(principal("group", settings.group(), UserPrincipalLookupService::lookupPrincipalByGroupName));
            }
            if (settings.mode() != null) {
                call = "chmod";
                view.setPermissions(settings.mode());
            }
        } catch (FileSystemException e) {
            throw new IOException(call + " " + address + ": " + e.getReason(), e);
        } catch (UnknownName e) {
            throw new IOException(call + " " + address + ": " + e.getMessage(), e);
        }
    }

    /** There is no user or group with a name or number. */
    private static final class UnknownName extends IOException {
        private static final long serialVersionUID = 1;

        UnknownName(String message) {
            super(message);
        }
    }

    private interface Lookup<P extends UserPrincipal> {
        P find(UserPrincipalLookupService names, String name) throws IOException;
    }

    private <P extends UserPrincipal> P principal(String kind, String name, Lookup<P> lookup) throws IOException {
        try {
            return lookup.find(path.getFileSystem().getUserPrincipalLookupService(), name);
        } catch (UserPrincipalNotFoundException e) {
            throw new UnknownName("there is no " + kind + " '" + name + "'");
        }
    }

    private static @Nullable Object key(Path path) throws IOException {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey();
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /** Removes the file, unless another one has taken its place. Called before the socket is closed. */
    void remove() throws IOException {
        if (key.equals(key(path))) {
            Files.deleteIfExists(path);
        }
    }
}
