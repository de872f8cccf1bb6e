package io.trivet.linux;

import io.trivet.net.Pipe;
import java.io.IOException;
import java.nio.ByteBuffer;

/** The two descriptors of a pipe (man 7 pipe). */
final class LinuxPipe implements Pipe {
    private final LinuxSource source;
    private final LinuxSink sink;

    LinuxPipe(LinuxNetwork network, int sourceFd, int sinkFd) {
        source = new LinuxSource(network, sourceFd);
        sink = new LinuxSink(network, sinkFd);
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
    abstract static sealed class End extends LinuxSocket {
        private final String name;

        End(LinuxNetwork network, int fd, String name) {
            super(network, fd);
            this.name = name + ", descriptor " + fd;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static final class LinuxSource extends End implements Source {
        LinuxSource(LinuxNetwork network, int fd) {
            super(network, fd, "source of a pipe");
        }

        @Override
        public int read(ByteBuffer buffer) throws IOException {
            return readFile(buffer);
        }
    }

    private static final class LinuxSink extends End implements Sink {
        LinuxSink(LinuxNetwork network, int fd) {
            super(network, fd, "sink of a pipe");
        }

        @Override
        public int write(ByteBuffer buffer) throws IOException {
            return writeFile(buffer);
        }
    }
}
