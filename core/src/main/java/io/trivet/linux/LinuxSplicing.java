package io.trivet.linux;

import io.trivet.net.Splicing;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Moves bytes from socket to socket through a pipe (man 2 splice). The pipes are opened on demand, and used again. */
final class LinuxSplicing implements Splicing {
    /** Maximum number of pipes, in use and free. */
    static final int PIPES_MAX = 32;
    /**
     * The size of a pipe. An unprivileged user gets it as long as its pipes have less than 16,384 pages in all (man 7 pipe), and 64
     * KiB beyond that.
     */
    static final int PIPE_BYTES = 256 * 1024;

    /** A pipe: its two descriptors, and the number of bytes in it. */
    private static final class SplicePipe {
        final int source;
        final int sink;
        int bytes;

        SplicePipe(int source, int sink) {
            this.source = source;
            this.sink = sink;
        }

        void close() {
            Libc.close(source);
            Libc.close(sink);
        }
    }

    private final ArrayDeque<SplicePipe> free = new ArrayDeque<>();
    private final Map<Long, SplicePipe> filled = new HashMap<>();

    @Override
    public int fill(TcpStream from, long target, int count) throws IOException {
        LinuxTcpStream stream = (LinuxTcpStream) from;
        return (int) stream.writeResult("splice", fill(stream.open(), target, count));
    }

    /** Implements {@link #fill(TcpStream, long, int)} for a descriptor. Returns the negative error number of a failure. */
    int fill(int from, long target, int count) {
        SplicePipe pipe = filled.get(target);
        if (pipe != null) {
            return pipe.bytes;
        }
        pipe = free.isEmpty() ? open() : free.removeLast();
        if (pipe == null) {
            return 0;
        }
        long moved = Libc.splice(from, pipe.sink, Math.min(count, PIPE_BYTES));
        if (moved <= 0) {
            free.addLast(pipe);
            return isUnavailable((int) -moved) ? 0 : (int) moved;
        }
        pipe.bytes = (int) moved;
        filled.put(target, pipe);
        return pipe.bytes;
    }

    /**
     * Returns true if the bytes have to be read instead, now or always. Any other error is the connection's, and must be reported:
     * the kernel reports it once, and a read would then take a reset for the end of input.
     */
    private static boolean isUnavailable(int errno) {
        return switch (errno) {
            case 0, Errno.EAGAIN, Errno.EINTR, Errno.EINVAL, Errno.ENOSYS, Errno.EPERM, Errno.ENOMEM -> true;
            default -> false;
        };
    }

    @Override
    public int drain(long target, TcpStream to, int count) throws IOException {
        LinuxTcpStream stream = (LinuxTcpStream) to;
        return (int) stream.writeResult("splice", drain(target, stream.open(), count));
    }

    /** Implements {@link #drain(long, TcpStream, int)} for a descriptor. Returns the negative error number of a failure. */
    int drain(long target, int to, int count) {
        SplicePipe pipe = filled.get(target);
        if (pipe == null) {
            return 0;
        }
        int moved = (int) Libc.splice(pipe.source, to, Math.min(count, pipe.bytes));
        if (moved > 0) {
            pipe.bytes -= moved;
            if (pipe.bytes == 0) {
                filled.remove(target);
                free.addLast(pipe);
            }
        }
        return moved;
    }

    /** Opens a pipe. Returns null if there are enough, or the process has no descriptor left. */
    private @Nullable SplicePipe open() {
        if (free.size() + filled.size() >= PIPES_MAX) {
            return null;
        }
        MemorySegment descriptors = Scratch.ofThread().number;
        if (Libc.pipe2(descriptors.address(), Libc.O_CLOEXEC | Libc.O_NONBLOCK) < 0) {
            return null;
        }
        SplicePipe pipe = new SplicePipe(descriptors.get(ValueLayout.JAVA_INT, 0), descriptors.get(ValueLayout.JAVA_INT, 4));
        int _ = Libc.fcntl(pipe.sink, Libc.F_SETPIPE_SZ, PIPE_BYTES); // refused: the pipe is smaller
        return pipe;
    }

    @Override
    public void drop(long target) {
        SplicePipe pipe = filled.remove(target);
        if (pipe != null) {
            pipe.close();
        }
    }

    @Override
    public void close() {
        // No method references: they would load the class of a pipe, and without descriptors that fails.
        for (SplicePipe pipe : free) {
            pipe.close();
        }
        free.clear();
        for (SplicePipe pipe : filled.values()) {
            pipe.close();
        }
        filled.clear();
    }
}
