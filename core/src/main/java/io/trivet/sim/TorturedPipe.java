package io.trivet.sim;

import io.trivet.net.Pipe;
import io.trivet.net.Socket;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A pipe with short reads and writes, whose calls sometimes would block. */
final class TorturedPipe implements Pipe {
    /** Up to this many bytes are written whole or not at all (man 7 pipe, PIPE_BUF). */
    private static final int WHOLE_BYTES_MAX = 4096;

    private final Pipe inner;
    private final Source source;
    private final Sink sink;

    TorturedPipe(TortureNetwork network, Pipe inner) {
        this.inner = inner;
        this.source = new TorturedSource(network, inner.source());
        this.sink = new TorturedSink(network, inner.sink());
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
    public void close() throws IOException {
        inner.close();
    }

    /** One end of a pipe. */
    abstract static sealed class End<S extends Socket> extends TorturedSocket<S> {
        End(TortureNetwork network, S inner) {
            super(network, inner);
        }
    }

    private static final class TorturedSource extends End<Source> implements Source {
        private final BoundedFault reading = new BoundedFault(injector, Fault.READ_WOULD_BLOCK,
                BoundedFault.WOULD_BLOCK_IN_A_ROW_MAX);

        TorturedSource(TortureNetwork network, Source inner) {
            super(network, inner);
        }

        @Override
        public int read(ByteBuffer buffer) throws IOException {
            boolean refused = isOpen() && buffer.hasRemaining() && reading.occurs();
            return refused ? 0 : transfer(buffer, Fault.SHORT_READ, inner::read);
        }
    }

    private static final class TorturedSink extends End<Sink> implements Sink {
        private final BoundedFault writing = new BoundedFault(injector, Fault.WRITE_WOULD_BLOCK,
                BoundedFault.WOULD_BLOCK_IN_A_ROW_MAX);

        TorturedSink(TortureNetwork network, Sink inner) {
            super(network, inner);
        }

        @Override
        public int write(ByteBuffer buffer) throws IOException {
            if (isOpen() && buffer.hasRemaining() && writing.occurs()) {
                return 0;
            }
            return buffer.remaining() <= WHOLE_BYTES_MAX
                    ? inner.write(buffer)
                    : transfer(buffer, Fault.SHORT_WRITE, inner::write);
        }
    }
}
