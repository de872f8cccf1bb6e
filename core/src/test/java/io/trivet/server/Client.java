package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.TcpOptions;
import io.trivet.net.TcpStream;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import io.trivet.sim.SimNetwork;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A client in the tests: a channel of the JDK, so that the other side of a test is not the code under test; on a simulated network, a stream
 * of another host. While it waits, the stage goes on: opened servers are turned.
 */
final class Client implements AutoCloseable {
    /** Given, so that it does not grow: newer kernels let it grow to 32 MiB, and then a client that does not read fills nobody's queue. */
    private static final int RECEIVE_BUFFER_BYTES = 256 << 10;

    private final Stage stage;
    private final Wire wire;
    private final ByteBuffer in = ByteBuffer.allocate(1 << 16).flip();

    Client(Stage stage, InetSocketAddress address) throws IOException {
        this(stage, address, true);
    }

    /** A client that is connected; while it waits for that, opened servers are turned, or not. */
    Client(Stage stage, InetSocketAddress address, boolean turning) throws IOException {
        this(stage, address, turning, RECEIVE_BUFFER_BYTES);
    }

    /** A client for which the network holds only so much. */
    Client(Stage stage, InetSocketAddress address, boolean turning, int receiveBufferBytes) throws IOException {
        this.stage = stage;
        wire = stage.network() instanceof SimNetwork simulated
                ? new SimulatedWire(simulated.host(InetAddress.ofLiteral("127.0.0.1"), SimEngine.EPOLL, FaultPlan.none()),
                        address, receiveBufferBytes)
                : new RealWire(address, turning, receiveBufferBytes);
        stage.until("connected", wire::finishConnect);
    }

    /** What the client does with its socket. */
    interface Wire extends AutoCloseable {
        boolean finishConnect() throws IOException;

        int read(ByteBuffer buffer) throws IOException;

        int write(ByteBuffer buffer) throws IOException;

        void sendUrgent(char c) throws IOException;

        void inlineUrgent() throws IOException;

        void shutdownOutput() throws IOException;

        void linger(int seconds) throws IOException;

        InetSocketAddress localAddress() throws IOException;

        @Override
        void close() throws IOException;
    }

    private record RealWire(SocketChannel channel) implements Wire {
        RealWire(InetSocketAddress address, boolean turning, int receiveBufferBytes) throws IOException {
            this(SocketChannel.open());
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.setOption(StandardSocketOptions.SO_RCVBUF, receiveBufferBytes);
            channel.configureBlocking(!turning);
            channel.connect(address);
            channel.configureBlocking(false);
        }

        @Override
        public boolean finishConnect() throws IOException {
            return channel.finishConnect();
        }

        @Override
        public int read(ByteBuffer buffer) throws IOException {
            return channel.read(buffer);
        }

        @Override
        public int write(ByteBuffer buffer) throws IOException {
            return channel.write(buffer);
        }

        @Override
        public void sendUrgent(char c) throws IOException {
            channel.socket().sendUrgentData(c);
        }

        @Override
        public void inlineUrgent() throws IOException {
            channel.socket().setOOBInline(true);
        }

        @Override
        public void shutdownOutput() throws IOException {
            channel.shutdownOutput();
        }

        @Override
        public void linger(int seconds) throws IOException {
            channel.setOption(StandardSocketOptions.SO_LINGER, seconds);
        }

        @Override
        public InetSocketAddress localAddress() throws IOException {
            return (InetSocketAddress) channel.getLocalAddress();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    private record SimulatedWire(TcpStream stream) implements Wire {
        SimulatedWire(SimHost host, InetSocketAddress address, int receiveBufferBytes) throws IOException {
            this(host.connect(address));
            stream.setOption(StandardSocketOptions.SO_RCVBUF, receiveBufferBytes);
        }

        @Override
        public boolean finishConnect() throws IOException {
            return stream.finishConnect();
        }

        @Override
        public int read(ByteBuffer buffer) throws IOException {
            return stream.read(buffer);
        }

        @Override
        public int write(ByteBuffer buffer) throws IOException {
            return stream.write(buffer);
        }

        @Override
        public void sendUrgent(char c) throws IOException {
            assertThat(stream.sendUrgent((byte) c)).isTrue();
        }

        @Override
        public void inlineUrgent() throws IOException {
            stream.setOption(TcpOptions.URGENT_INLINE, true);
        }

        @Override
        public void shutdownOutput() throws IOException {
            stream.shutdownOutput();
        }

        @Override
        public void linger(int seconds) throws IOException {
            stream.setOption(StandardSocketOptions.SO_LINGER, seconds);
        }

        @Override
        public InetSocketAddress localAddress() throws IOException {
            return stream.localAddress();
        }

        @Override
        public void close() throws IOException {
            stream.close();
        }
    }

    /** Its socket. */
    Wire channel() {
        return wire;
    }

    InetSocketAddress localAddress() throws IOException {
        return wire.localAddress();
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    void send(String text) throws IOException {
        send(bytes(text));
    }

    void send(byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        stage.until("everything is sent", () -> {
            wire.write(buffer);
            return !buffer.hasRemaining();
        });
    }

    /** Sends what the socket takes now; how much. */
    int sendSome(byte[] bytes, int from) throws IOException {
        return wire.write(ByteBuffer.wrap(bytes, from, bytes.length - from));
    }

    void sendUrgent(char c) throws IOException {
        wire.sendUrgent(c);
    }

    /** Receives so many bytes. */
    byte[] receive(int count) throws IOException {
        byte[] bytes = new byte[count];
        int got = 0;
        while (got < count) {
            if (!in.hasRemaining()) {
                fill(got, count);
            }
            int part = Math.min(in.remaining(), count - got);
            in.get(bytes, got, part);
            got += part;
        }
        return bytes;
    }

    private void fill(int got, int count) throws IOException {
        stage.until(count + " bytes, after " + got, () -> {
            int read = wire.read(in.clear());
            in.flip();
            assertThat(read).as("bytes read after %d of %d", got, count).isNotNegative();
            return read > 0;
        });
    }

    String receiveText(int count) throws IOException {
        return new String(receive(count), StandardCharsets.ISO_8859_1);
    }

    /** Receives up to a line feed, and gives what stands before it. */
    String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (byte b = receive(1)[0]; b != '\n'; b = receive(1)[0]) {
            line.append((char) (b & 0xff));
        }
        return line.toString();
    }

    /** What has arrived by now, without waiting. */
    byte[] available() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        drainInto(bytes);
        while (wire.read(in.clear()) > 0) {
            in.flip();
            drainInto(bytes);
        }
        in.clear().flip();
        return bytes.toByteArray();
    }

    /** Receives to the end of the input, which must be an orderly one. */
    byte[] rest() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        drainInto(bytes);
        stage.until("the end of the input", () -> {
            int read = wire.read(in.clear());
            in.flip();
            drainInto(bytes);
            return read < 0;
        });
        return bytes.toByteArray();
    }

    String restText() throws IOException {
        return new String(rest(), StandardCharsets.ISO_8859_1);
    }

    /** Receives to whatever end: true, it was an orderly one; false, a reset. */
    boolean endsInOrder() throws IOException {
        try {
            rest();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private void drainInto(ByteArrayOutputStream bytes) {
        bytes.write(in.array(), in.position(), in.remaining());
        in.position(in.limit());
    }

    /** Ends the output. */
    void finish() throws IOException {
        wire.shutdownOutput();
    }

    /** Closes by a reset. */
    void reset() throws IOException {
        wire.linger(0);
        wire.close();
    }

    @Override
    public void close() throws IOException {
        wire.close();
    }

    @Override
    public String toString() {
        return "client " + wire;
    }

    /** Several messages in one array. */
    static byte[] join(byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        ByteBuffer all = ByteBuffer.allocate(length);
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }
}
