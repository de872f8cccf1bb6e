package io.trivet.app;

import io.trivet.net.Capability;
import io.trivet.net.Interest;
import io.trivet.net.Network;
import io.trivet.net.Socket;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Writes every byte to standard output or standard error, or throws. If the descriptor is non-blocking, because another process
 * shares it, and full, waits for room. The first failure is kept, and every later write fails with it unless
 * {@link #forget} was called.
 */
final class StandardOutput extends OutputStream {
    private static final String[] NAMES = {"standard input", "standard output", "standard error"};
    /** Bytes per write(2): each write copies to a native buffer of this size. */
    private static final int WRITE_BYTES_MAX = 64 * 1024;
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final int fd;
    private final boolean closed;
    private final FileChannel channel;
    private volatile @Nullable IOException failure;

    private StandardOutput(int fd, boolean closed, FileChannel channel) {
        this.fd = fd;
        this.closed = closed;
        this.channel = channel;
    }

    /**
     * Returns a stream to a descriptor.
     *
     * @param fd 1 or 2
     * @param closed the descriptor was closed at the start: every write fails
     */
    @SuppressWarnings("resource") // the descriptor stays open until the process ends
    static StandardOutput ofDescriptor(int fd, boolean closed) {
        return new StandardOutput(fd, closed,
                new FileOutputStream(fd == 1 ? FileDescriptor.out : FileDescriptor.err).getChannel());
    }

    /** Returns standard input as a channel. */
    @SuppressWarnings("resource")
    static FileChannel input() {
        return new FileInputStream(FileDescriptor.in).getChannel();
    }

    /** Returns why a write failed; null if none has. */
    @Nullable
    IOException failure() {
        return failure;
    }

    /** Forgets the failure: the next write is tried. */
    void forget() {
        failure = null;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[]{(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int count) throws IOException {
        IOException before = failure;
        if (before != null) {
            throw before;
        }
        try {
            if (closed && count > 0) {
                throw new IOException("it is closed");
            }
            ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, count);
            int end = offset + count;
            while (buffer.position() < end) {
                buffer.limit(Math.min(end, buffer.position() + WRITE_BYTES_MAX));
                if (channel.write(buffer) == 0) { // EAGAIN: a FileChannel counts the bytes written before it, a FileOutputStream does not
                    await(fd, Interest.WRITE);
                }
            }
        } catch (IOException e) {
            IOException named = new IOException(NAMES[fd] + ": " + ("Broken pipe".equals(e.getMessage())
                    ? "the reader has closed it"
                    : EscapedText.line(String.valueOf(e.getMessage()))), e);
            failure = named;
            throw named;
        }
    }

    /** Waits until a non-blocking descriptor is likely to be ready, but not longer than a second. */
    static void await(int fd, int interest) {
        try {
            Network network = Network.system().forOneCall();
            if (network.supports(Capability.DESCRIPTORS)) {
                int _ = network.selectOnce(new Socket[]{network.descriptor(fd)}, new int[]{interest}, 1, WAIT_NANOS);
                return;
            }
        } catch (IOException | UnsupportedOperationException e) {
            // The retry below reports what is wrong with the descriptor.
        }
        LockSupport.parkNanos(RETRY_NANOS);
    }
}
