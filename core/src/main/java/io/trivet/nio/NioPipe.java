package io.trivet.nio;

import io.trivet.net.Interest;
import io.trivet.net.Pipe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;

/**
 * The two channels of a pipe; on Windows java.nio emulates them by a TCP connection. A sink whose source is closed is writable, and the
 * write then fails. Unlike on Linux it is not readable as well, because java.nio can watch a sink for writing only.
 */
final class NioPipe implements Pipe {
    private final NioSource source;
    private final NioSink sink;

    NioPipe(NioNetwork network, java.nio.channels.Pipe pipe) {
        source = new NioSource(network, pipe.source());
        sink = new NioSink(network, pipe.sink());
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
        try (source) {
            sink.close();
        }
    }

    /** One end of a pipe. */
    abstract static sealed class End extends NioSocket {
        End(NioNetwork network, SelectableChannel channel) {
            super(network, channel);
        }
    }

    private static final class NioSource extends End implements Source {
        private final java.nio.channels.Pipe.SourceChannel channel;

        NioSource(NioNetwork network, java.nio.channels.Pipe.SourceChannel channel) {
            super(network, channel);
            this.channel = channel;
        }

        @Override
        int ops(int interest) {
            return (interest & Interest.READ) != 0 ? SelectionKey.OP_READ : 0;
        }

        @Override
        public int read(ByteBuffer buffer) throws IOException {
            checkOpen();
            if (!buffer.hasRemaining()) {
                return 0;
            }
            int limit = limitHeapBuffer(buffer);
            try {
                return (int) transferred(channel.read(buffer));
            } catch (IOException e) {
                throw failure("read", e);
            } finally {
                buffer.limit(limit);
            }
        }

        @Override
        public String toString() {
            return "source of a pipe";
        }
    }

    private static final class NioSink extends End implements Sink {
        private final java.nio.channels.Pipe.SinkChannel channel;

        NioSink(NioNetwork network, java.nio.channels.Pipe.SinkChannel channel) {
            super(network, channel);
            this.channel = channel;
        }

        @Override
        int ops(int interest) {
            return (interest & Interest.WRITE) != 0 ? SelectionKey.OP_WRITE : 0;
        }

        @Override
        public int write(ByteBuffer buffer) throws IOException {
            checkOpen();
            if (!buffer.hasRemaining()) {
                return 0;
            }
            int limit = limitHeapBuffer(buffer);
            try {
                return (int) transferred(channel.write(buffer));
            } catch (IOException e) {
                throw failure("write", e);
            } finally {
                buffer.limit(limit);
            }
        }

        @Override
        public String toString() {
            return "sink of a pipe";
        }
    }
}
