package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.Pipe;
import java.io.IOException;
import java.nio.ByteBuffer;

/** The two descriptors of a pipe. */
final class SimPipe implements Pipe {
    private final SimSource source;
    private final SimSink sink;

    SimPipe(SimHost host, PipeBuffer pipe, int sourceNumber, int sinkNumber) {
        source = new SimSource(host, pipe, sourceNumber);
        sink = new SimSink(host, pipe, sinkNumber);
    }

    @Override
    public Source source() {
        return source;
    }

    @Override
    public Sink sink() {
        return sink;
    }

    @Override
    public void close() {
        source.close();
        sink.close();
    }

    /** One end of a pipe. */
    abstract static sealed class End extends SimSocket {
        final PipeBuffer pipe;
        private final String name;

        End(SimHost host, PipeBuffer pipe, PipeBuffer.End end, int number) {
            super(host, end, number);
            this.pipe = pipe;
            this.name = end + ", descriptor " + number;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static final class SimSource extends End implements Source {
        SimSource(SimHost host, PipeBuffer pipe, int number) {
            super(host, pipe, pipe.source, number);
        }

        @Override
        public int read(ByteBuffer buffer) throws IOException {
            checkOpen();
            return PipeCalls.read(this, pipe, buffer);
        }
    }

    private static final class SimSink extends End implements Sink {
        SimSink(SimHost host, PipeBuffer pipe, int number) {
            super(host, pipe, pipe.sink, number);
        }

        @Override
        public int write(ByteBuffer buffer) throws IOException {
            checkOpen();
            return PipeCalls.write(this, pipe, buffer);
        }
    }

    /** The read and write calls on a pipe, shared by {@link SimPipe} and {@link SimDescriptor}. */
    static final class PipeCalls {
        private PipeCalls() {}

        static int read(SimSocket by, PipeBuffer pipe, ByteBuffer buffer) throws IOException {
            if (!buffer.hasRemaining() || by.isInterrupted()) {
                return 0;
            }
            if (pipe.isEmpty()) {
                return pipe.isSinkClosed() ? -1 : 0;
            }
            FaultInjector faults = by.host.faults;
            if (faults.happens(Fault.READ_WOULD_BLOCK)) {
                return 0;
            }
            if (buffer.remaining() > 1 && faults.happens(Fault.SHORT_READ)) {
                return Buffers.limited(buffer, faults.random(Fault.SHORT_READ).part(buffer.remaining()), pipe::read);
            }
            return pipe.read(buffer);
        }

        static int write(SimSocket by, PipeBuffer pipe, ByteBuffer buffer) throws IOException {
            if (!buffer.hasRemaining()) {
                return 0;
            }
            if (pipe.isSourceClosed()) {
                throw by.failure("write", ErrorCode.EPIPE);
            }
            FaultInjector faults = by.host.faults;
            if (by.isInterrupted() || faults.happens(Fault.WRITE_WOULD_BLOCK)) {
                return 0;
            }
            // Up to 4,096 bytes are written whole or not at all (PIPE_BUF), so there are no short writes here.
            return pipe.write(buffer);
        }
    }
}
