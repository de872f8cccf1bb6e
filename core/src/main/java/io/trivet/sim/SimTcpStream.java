package io.trivet.sim;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.SendableFile;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The descriptor of a TCP connection. */
final class SimTcpStream extends SimSocket implements TcpStream {
    /** Maximum number of bytes of a file that are sent in one call. */
    private static final int SENT_FILE_BYTES_MAX = 1 << 20;

    final TcpEndpoint end;
    private boolean connected;
    /** The error of a failed connect. The kernel reports it once; each later {@link #finishConnect} reports it again. */
    private @Nullable ErrorCode refusal;

    SimTcpStream(SimHost host, TcpEndpoint end, int number, boolean connected) {
        super(host, end, number);
        this.end = end;
        this.connected = connected;
    }

    @Override
    SocketOptions options() {
        return end.options;
    }

    @Override
    public boolean finishConnect() throws IOException {
        checkOpen();
        if (connected) {
            return true;
        }
        if (refusal == null) {
            if (end.isConnecting() || host.faults.happens(Fault.CONNECT_LATE)) {
                return false;
            }
            refusal = end.takeError();
        }
        if (refusal != null) {
            throw new NetworkException("connect", end.remote, refusal);
        }
        connected = !end.isClosed();
        return connected;
    }

    @Override
    public int read(ByteBuffer buffer) throws IOException {
        checkOpen();
        if (!buffer.hasRemaining() || isInterrupted()) {
            return 0;
        }
        int most = buffer.remaining();
        int readable = end.readable();
        if (readable > 0) {
            if (host.faults.happens(Fault.READ_WOULD_BLOCK)) {
                return 0;
            }
            int whole = Math.min(most, readable);
            if (whole > 1 && host.faults.happens(Fault.SHORT_READ)) {
                most = host.faults.random(Fault.SHORT_READ).part(whole);
            }
        }
        int count = end.read(buffer, most);
        if (count > 0) {
            if (host.kernel.isTraced()) {
                host.kernel.trace(end + " reads " + count);
            }
            return count;
        }
        if (!end.hidesError()) {
            throwPending("recv", end);
        }
        if (end.refusesReads()) {
            throw failure("recv", ErrorCode.ENOTCONN);
        }
        return end.isInputOver() ? -1 : 0;
    }

    @Override
    public long sendFile(SendableFile file, long position, long count) throws IOException {
        checkOpen();
        if (!(file instanceof SimFile)) {
            return SendableFile.UNSUPPORTED;
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(count, Math.clamp(end.room(), 1, SENT_FILE_BYTES_MAX)));
        int read = file.read(bytes, position);
        return read < 0 ? SendableFile.ENDED : write(bytes.flip());
    }

    @Override
    public int write(ByteBuffer buffer) throws IOException {
        checkOpen();
        if (!buffer.hasRemaining()) {
            return 0;
        }
        int asked = buffer.remaining();
        int count = (int) drawAccepted("send", asked);
        if (count > 0) {
            end.out.write(buffer, count);
        }
        wrote(count, asked);
        return count;
    }

    @Override
    public long write(ByteBuffer[] buffers, int from, int count) throws IOException {
        Objects.checkFromIndexSize(from, count, buffers.length);
        checkOpen();
        long all = Buffers.remaining(buffers, from, count);
        if (all == 0) {
            return 0;
        }
        long accepted = drawAccepted("sendmsg", all);
        long left = accepted;
        for (int i = from; left > 0; i++) {
            int part = (int) Math.min(left, buffers[i].remaining());
            if (part > 0) {
                end.out.write(buffers[i], part);
                left -= part;
            }
        }
        wrote(accepted, all);
        return accepted;
    }

    /** Returns how many bytes a write accepts. */
    private long drawAccepted(String call, long asked) throws IOException {
        checkWritable(call);
        if (isInterrupted()) {
            return 0;
        }
        long room = host.kernel.accounting.accepted(end, asked, end.room());
        if (room < asked) {
            end.missRoom();
        }
        if (room > 0) {
            if (host.faults.happens(Fault.WRITE_WOULD_BLOCK)) {
                return 0;
            }
            if (room > 1 && host.faults.happens(Fault.SHORT_WRITE)) {
                return host.faults.random(Fault.SHORT_WRITE).part((int) room);
            }
        }
        return room;
    }

    private void checkWritable(String call) throws IOException {
        if (end.refusesWrites()) {
            if (end.isUnix()) {
                host.kernel.noteUnread(end.peer());
            } else {
                throwPending(call, end);
            }
            throw failure(call, ErrorCode.EPIPE);
        }
    }

    private void wrote(long count, long asked) {
        if (host.kernel.isTraced()) {
            host.kernel.trace(end + " writes " + count + (count < asked ? " of " + asked : ""));
        }
        if (count > 0) {
            end.out.push();
        }
    }

    @Override
    public boolean sendUrgent(byte b) throws IOException {
        checkOpen();
        checkWritable("send");
        if (isInterrupted() || host.kernel.accounting.accepted(end, 1, end.room()) == 0
                || host.faults.happens(Fault.WRITE_WOULD_BLOCK)) {
            return false;
        }
        end.out.writeUrgent(b);
        if (host.kernel.isTraced()) {
            host.kernel.trace(end + " sends an urgent byte");
        }
        end.out.push();
        return true;
    }

    @Override
    public int receiveUrgent() throws IOException {
        checkOpen();
        Flow in = end.in;
        if (end.options.urgentInline || in.urgent == Flow.Urgent.NONE || in.urgent == Flow.Urgent.TAKEN) {
            return -1;
        }
        if (end.isClosed() && !end.hidesError()) {
            throw failure("recv", ErrorCode.ENOTCONN);
        }
        if (in.urgent == Flow.Urgent.VALID) {
            if (isInterrupted()) {
                host.kernel.noteFault(Fault.INTERRUPTED, end);
                return -1;
            }
            in.urgent = Flow.Urgent.TAKEN;
            if (host.kernel.isTraced()) {
                host.kernel.trace(end + " receives the urgent byte");
            }
            return in.urgentByte & 0xff;
        }
        return -1;
    }

    @Override
    public boolean atMark() throws IOException {
        checkOpen();
        return end.in.isAtMark();
    }

    @Override
    public void shutdownInput() throws IOException {
        shutdown(true);
    }

    @Override
    public void shutdownOutput() throws IOException {
        shutdown(false);
    }

    private void shutdown(boolean input) throws IOException {
        checkOpen();
        if (end.isConnecting()) {
            end.abandon();
            return;
        }
        boolean closed = end.isClosed();
        if (host.kernel.isTraced()) {
            host.kernel.trace(end + (input ? " ends its input" : " ends its output"));
        }
        if (input) {
            end.shutInput();
        } else {
            end.shutOutput();
        }
        if (closed) {
            throw failure("shutdown", ErrorCode.ENOTCONN);
        }
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        checkOpen();
        return end.local;
    }

    @Override
    public InetSocketAddress remoteAddress() throws IOException {
        checkOpen();
        return end.remote;
    }

    @Override
    public void close() {
        if (isOpen() && host.kernel.isTraced()) {
            host.kernel.trace(end + " is closed" + (end.in.unread() > 0 ? " with " + end.in.unread() + " bytes unread" : ""));
        }
        super.close();
    }

    @Override
    public String toString() {
        return "stream " + Addresses.toString(end.remote);
    }
}
