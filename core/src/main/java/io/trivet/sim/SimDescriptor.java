package io.trivet.sim;

import io.trivet.net.Descriptor;
import io.trivet.net.ErrorCode;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A borrowed descriptor. It stores a number, and each call uses the file that has this number at the time of the call. */
final class SimDescriptor extends SimSocket implements Descriptor {
    private final int borrowed;

    SimDescriptor(SimHost host, int number) {
        super(host, new RegularFile(host.kernel), number);
        this.borrowed = number;
    }

    @Override
    OpenFile file() throws IOException {
        OpenFile file = host.descriptors.file(borrowed);
        if (file == null) {
            throw failure("fcntl", ErrorCode.EBADF);
        }
        return file;
    }

    @Override
    boolean isDescriptorOpen() {
        return host.descriptors.file(borrowed) != null;
    }

    @Override
    public int read(ByteBuffer buffer) throws IOException {
        checkOpen();
        return switch (file()) {
            case PipeBuffer.End pipe when pipe.isSource() -> SimPipe.PipeCalls.read(this, pipe.pipe(), buffer);
            case TcpEndpoint end -> new SimTcpStream(host, end, borrowed, true).read(buffer);
            case RegularFile _ -> -1;
            default -> throw failure("read", ErrorCode.EINVAL);
        };
    }

    @Override
    public int write(ByteBuffer buffer) throws IOException {
        checkOpen();
        return switch (file()) {
            case PipeBuffer.End pipe when !pipe.isSource() -> SimPipe.PipeCalls.write(this, pipe.pipe(), buffer);
            case TcpEndpoint end -> new SimTcpStream(host, end, borrowed, true).write(buffer);
            case RegularFile _ -> {
                int count = buffer.remaining();
                buffer.position(buffer.limit());
                yield count;
            }
            default -> throw failure("write", ErrorCode.EINVAL);
        };
    }

    @Override
    public void close() {
        forget();
    }

    @Override
    public String toString() {
        return "descriptor " + borrowed;
    }
}
