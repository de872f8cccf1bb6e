package io.trivet.scenarios;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.TcpStream;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A client of a {@link Trial}: it reads and writes exactly when the trial says so. */
final class TrialClient {
    private final TcpStream stream;
    /** Memory for one read, shared by the clients of a run. */
    private final ByteBuffer memory;
    private byte[] received = new byte[64];
    private int count;
    private boolean ended;
    private @Nullable ErrorCode failure;

    private TrialClient(TcpStream stream, ByteBuffer memory) {
        this.stream = stream;
        this.memory = memory;
    }

    static TrialClient connect(TrialRun run, InetSocketAddress to) throws IOException {
        return connect(run, run.clients, to);
    }

    /** Connects from a host. */
    static TrialClient connect(TrialRun run, SimHost from, InetSocketAddress to) throws IOException {
        TcpStream stream = from.connect(to);
        stream.finishConnect();
        return new TrialClient(stream, run.readBuffer());
    }

    /** Returns the peer of a connection that the server has made. */
    static TrialClient of(TrialRun run, TcpStream accepted) {
        return new TrialClient(accepted, run.readBuffer());
    }

    InetSocketAddress address() throws IOException {
        return stream.localAddress();
    }

    TcpStream stream() {
        return stream;
    }

    /** Writes bytes, which the buffers have room for. */
    void write(byte[] bytes) {
        try {
            stream.write(ByteBuffer.wrap(bytes));
        } catch (IOException e) {
            failed(e);
        }
    }

    void write(String text) {
        write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    void sendUrgent(int b) throws IOException {
        stream.sendUrgent((byte) b);
    }

    /** Reads up to that number of bytes, if they have arrived. Returns how many it has read. */
    int read(int most) {
        int sum = 0;
        while (sum < most && !ended && failure == null) {
            memory.clear().limit(Math.min(memory.capacity(), most - sum));
            try {
                int bytes = stream.read(memory);
                if (bytes == 0) {
                    break;
                }
                ended = bytes < 0;
                if (bytes > 0) {
                    received = count + bytes > received.length
                            ? Arrays.copyOf(received, Math.max(count + bytes, 2 * received.length))
                            : received;
                    memory.get(0, received, count, bytes);
                    count += bytes;
                    sum += bytes;
                }
            } catch (IOException e) {
                failed(e);
            }
        }
        return sum;
    }

    int readAll() {
        return read(Integer.MAX_VALUE);
    }

    private void failed(IOException e) {
        failure = e instanceof NetworkException network ? network.code() : ErrorCode.EIO;
    }

    void endOutput() throws IOException {
        stream.shutdownOutput();
    }

    /** Ends the output, unless the connection has been reset. */
    void endOutputIfOpen() {
        try {
            stream.shutdownOutput();
        } catch (IOException e) {
            failed(e);
        }
    }

    void close() throws IOException {
        stream.close();
    }

    void reset() throws IOException {
        stream.setOption(StandardSocketOptions.SO_LINGER, 0);
        stream.close();
    }

    /** Returns the bytes that were received; only the first {@link #count} are valid. */
    byte[] received() {
        return received;
    }

    String text() {
        return new String(received, 0, count, StandardCharsets.ISO_8859_1);
    }

    int count() {
        return count;
    }

    /** Returns true if the client has read the end of its input. */
    boolean hasEnded() {
        return ended;
    }

    /** Returns what the client has seen of the end of the connection: open, the end of its input, or an error. */
    String end() {
        ErrorCode code = failure;
        return code != null ? code.name() : ended ? "ended" : "open";
    }
}
