package io.trivet.app;

import io.trivet.net.Capability;
import io.trivet.net.Descriptor;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.net.Selectable;
import io.trivet.net.Socket;
import io.trivet.select.Select;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.List;

/** Standard input, as something that can stand in the three lists. */
final class StandardInput implements Selectable {
    private interface Source {
        int read(ByteBuffer buffer) throws IOException;
    }

    private final Socket socket;
    private final Source source;

    private StandardInput(Socket socket, Source source) {
        this.socket = socket;
        this.source = source;
    }

    /** The descriptor itself; where the network has none, a thread reads it into a pipe. */
    static StandardInput open(Network network, PrintStream err) throws IOException {
        if (network.supports(Capability.DESCRIPTORS)) {
            Descriptor descriptor = network.descriptor(0);
            return new StandardInput(descriptor, descriptor::read);
        }
        err.println(network.name() + " has no descriptors: a thread reads standard input");
        Pipe pipe = network.pipe();
        Thread thread = new Thread(() -> copyTo(pipe.sink(), err), "standard-input");
        thread.setDaemon(true);
        thread.start();
        return new StandardInput(pipe.source(), pipe.source()::read);
    }

    private static void copyTo(Pipe.Sink sink, PrintStream err) {
        byte[] bytes = new byte[8 * 1024];
        try (sink) {
            for (int count = System.in.read(bytes); count >= 0; count = System.in.read(bytes)) {
                ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, count);
                while (buffer.hasRemaining()) {
                    if (sink.write(buffer) == 0) {
                        Select.select(List.of(), List.of(sink), List.of(), null);
                    }
                }
            }
        } catch (IOException e) {
            err.println("standard input: " + e.getMessage());
        }
    }

    @Override
    public Socket socket() {
        return socket;
    }

    /** What is there; -1 at its end. */
    int read(ByteBuffer buffer) throws IOException {
        return source.read(buffer);
    }
}
