package io.trivet.sim;

import io.trivet.net.NetworkException;
import io.trivet.net.SendableFile;
import io.trivet.net.TcpOptions;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * A stream with short reads and writes, whose calls sometimes would block. Every call makes at most one call on the wrapped
 * stream. Urgent data is unchanged.
 */
final class TorturedStream extends TorturedSocket<TcpStream> implements TcpStream {
    private final BoundedFault reading = new BoundedFault(injector, Fault.READ_WOULD_BLOCK,
            BoundedFault.WOULD_BLOCK_IN_A_ROW_MAX);
    private final BoundedFault writing = new BoundedFault(injector, Fault.WRITE_WOULD_BLOCK,
            BoundedFault.WOULD_BLOCK_IN_A_ROW_MAX);
    private final BoundedFault connecting = new BoundedFault(injector, Fault.CONNECT_LATE, BoundedFault.WOULD_BLOCK_IN_A_ROW_MAX);
    /** The outcome of the connect was reported, so it is no longer delayed. */
    private boolean outcomeReported;
    /**
     * A low-water mark was set. Reads are not shortened then, since the remaining bytes may be below the mark and not be
     * reported.
     */
    private boolean hasLowWaterMark;

    TorturedStream(TortureNetwork network, TcpStream inner, boolean outcomeReported) {
        super(network, inner);
        this.outcomeReported = outcomeReported;
    }

    @Override
    public boolean finishConnect() throws IOException {
        if (!outcomeReported && isOpen() && connecting.occurs()) {
            return false;
        }
        try {
            boolean connected = inner.finishConnect();
            outcomeReported |= connected;
            return connected;
        } catch (NetworkException e) {
            outcomeReported = true;
            throw e;
        }
    }

    @Override
    public int read(ByteBuffer buffer) throws IOException {
        if (isOpen() && buffer.hasRemaining() && reading.occurs()) {
            return 0;
        }
        return hasLowWaterMark ? inner.read(buffer) : transfer(buffer, Fault.SHORT_READ, inner::read);
    }

    @Override
    public int write(ByteBuffer buffer) throws IOException {
        if (isOpen() && buffer.hasRemaining() && writing.occurs()) {
            return 0;
        }
        return transfer(buffer, Fault.SHORT_WRITE, inner::write);
    }

    @Override
    public long write(ByteBuffer[] buffers, int from, int count) throws IOException {
        Objects.checkFromIndexSize(from, count, buffers.length);
        long whole = Buffers.remaining(buffers, from, count);
        if (isOpen() && whole > 0 && writing.occurs()) {
            return 0;
        }
        if (whole < 2 || !injector.shouldInject(Fault.SHORT_WRITE)) {
            return inner.write(buffers, from, count);
        }
        return writePart(buffers, from, injector.part(whole));
    }

    /** Writes at most a part of the bytes. Of the last buffer, the wrapped stream sees only the bytes before the cut. */
    private long writePart(ByteBuffer[] buffers, int from, long part) throws IOException {
        int last = from;
        long left = part;
        while (left > buffers[last].remaining()) {
            left -= buffers[last++].remaining();
        }
        ByteBuffer cut = buffers[last];
        int limit = cut.limit();
        cut.limit(cut.position() + (int) left);
        try {
            long written = inner.write(buffers, from, last - from + 1);
            if (written == part) {
                injector.count(Fault.SHORT_WRITE);
            }
            return written;
        } finally {
            cut.limit(limit);
        }
    }

    @Override
    public long sendFile(SendableFile file, long position, long count) throws IOException {
        if (isOpen() && writing.occurs()) {
            return 0;
        }
        if (count < 2 || !injector.shouldInject(Fault.SHORT_WRITE)) {
            return inner.sendFile(file, position, count);
        }
        long part = injector.part(count);
        long sent = inner.sendFile(file, position, part);
        if (sent == part) {
            injector.count(Fault.SHORT_WRITE);
        }
        return sent;
    }

    @Override
    public boolean sendUrgent(byte b) throws IOException {
        return inner.sendUrgent(b);
    }

    @Override
    public int receiveUrgent() throws IOException {
        return inner.receiveUrgent();
    }

    @Override
    public boolean atMark() throws IOException {
        return inner.atMark();
    }

    @Override
    public void shutdownInput() throws IOException {
        inner.shutdownInput();
    }

    @Override
    public void shutdownOutput() throws IOException {
        inner.shutdownOutput();
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        return inner.localAddress();
    }

    @Override
    public InetSocketAddress remoteAddress() throws IOException {
        return inner.remoteAddress();
    }

    @Override
    public <T> void setOption(SocketOption<T> option, T value) throws IOException {
        super.setOption(option, value);
        hasLowWaterMark |= option.equals(TcpOptions.RECEIVE_LOW_WATER);
    }
}
