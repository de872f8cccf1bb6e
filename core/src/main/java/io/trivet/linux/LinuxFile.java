package io.trivet.linux;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.SendableFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** An open file from which the kernel can send (man 2 sendfile). One thread at a time. */
final class LinuxFile implements SendableFile {
    private final Path path;
    private int fd;

    private LinuxFile(Path path, int fd) {
        this.path = path;
        this.fd = fd;
    }

    /**
     * Opens a file. Returns null if only Java can open it: its path belongs to a file system of Java alone, such as a zip file, or
     * cannot be encoded in the bytes that the kernel expects.
     */
    static @Nullable LinuxFile open(Path path) throws IOException {
        Charset charset = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
        String name = path.toString();
        byte[] bytes = name.getBytes(charset);
        if (!path.getFileSystem().equals(FileSystems.getDefault()) || !new String(bytes, charset).equals(name)) {
            return null;
        }
        try (Arena arena = Arena.ofConfined()) {
            long address = arena.allocateFrom(ValueLayout.JAVA_BYTE, Arrays.copyOf(bytes, bytes.length + 1)).address();
            int fd = Libc.open(address, Libc.O_CLOEXEC | Libc.O_NONBLOCK); // O_RDONLY is 0; a pipe in its place must not block
            if (fd < 0) {
                throw Errno.failure("open", path, -fd);
            }
            return new LinuxFile(path, fd);
        }
    }

    private int open() throws IOException {
        if (fd < 0) {
            throw new ClosedSocketException(toString());
        }
        return fd;
    }

    @Override
    public long size() throws IOException {
        return check("lseek", Libc.lseek(open(), 0, Libc.SEEK_END)); // the file offset does not matter: each read passes its position
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
        int open = open();
        if (!into.hasRemaining()) {
            return 0;
        }
        Scratch scratch = Scratch.ofThread();
        long address = scratch.incomingAddress(into);
        if (address == DirectAddresses.NONE) {
            throw new IllegalArgumentException("the memory of the buffer belongs to an arena");
        }
        try {
            long read;
            do {
                read = Libc.pread(open, address, scratch.length(), position);
            } while (read == -Errno.EINTR);
            check("pread", read);
            scratch.incoming(into, (int) read);
            return read == 0 ? -1 : (int) read;
        } finally {
            Reference.reachabilityFence(into);
        }
    }

    /**
     * Sends bytes to a socket. A broken connection raises SIGPIPE, which a JVM ignores.
     *
     * @return what sendfile has returned, or the negative error number
     */
    long sendTo(int socket, long position, long count) throws IOException {
        int open = open();
        Scratch scratch = Scratch.ofThread();
        scratch.number.set(ValueLayout.JAVA_LONG, 0, position);
        return Libc.sendfile(socket, open, scratch.number.address(), count);
    }

    /**
     * Returns true if a result of {@link #sendTo} means that this file has to be read instead: the file system cannot do it (man 2
     * sendfile), or a container's seccomp profile forbids the call.
     */
    static boolean isUnsupported(long result) {
        return result == -Errno.EINVAL || result == -Errno.ENOSYS || result == -Errno.EPERM;
    }

    private long check(String call, long result) throws IOException {
        if (result < 0) {
            throw Errno.failure(call, path, (int) -result, fd);
        }
        return result;
    }

    @Override
    public void close() throws IOException {
        int last = fd;
        fd = -1;
        if (last >= 0) {
            Libc.close(last); // it was only read: nothing can be lost
        }
    }

    @Override
    public String toString() {
        return "file " + path;
    }
}
