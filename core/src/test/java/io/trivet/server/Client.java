package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.TcpOptions;
import io.trivet.net.TcpStream;
import io.trivet.net.UnixAddress;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import io.trivet.sim.SimNetwork;
import io.trivet.sim.TortureNetwork;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLException;

/**
 * A TCP client for the tests. On a real network it is a channel of the JDK, so that the peer is independent of the code under test. On a
 * simulated network it is a stream of another host. While it waits, the opened servers of its stage are turned.
 */
final class Client implements AutoCloseable {
    /** Fixed, because newer kernels let the buffer grow to 32 MiB: then a client that does not read would not fill the server's queue. */
    static final int RECEIVE_BUFFER_BYTES = 256 << 10;

    private final Stage stage;
    private final ClientSocket socket;
    /** The socket is connected, and a TLS handshake is over. */
    private boolean established;
    /** What is still to be sent of {@link #sendWithoutWaiting}. */
    private ByteBuffer unsent = ByteBuffer.allocate(0);
    private final ByteBuffer in = ByteBuffer.allocate(1 << 16).flip();

    Client(Stage stage, InetSocketAddress address) throws IOException {
        this(stage, address, true);
    }

    /** Connects a client. The opened servers are turned meanwhile if {@code turning}; otherwise the connect blocks. */
    Client(Stage stage, InetSocketAddress address, boolean turning) throws IOException {
        this(stage, address, turning, RECEIVE_BUFFER_BYTES);
    }

    /** Connects a client with a receive buffer of the given size. */
    Client(Stage stage, InetSocketAddress address, boolean turning, int receiveBufferBytes) throws IOException {
        this(stage, address, turning, receiveBufferBytes, UnaryOperator.identity());
    }

    /** Connects a client whose socket is wrapped, for instance by TLS. */
    Client(Stage stage, InetSocketAddress address, UnaryOperator<ClientSocket> wrapper) throws IOException {
        this(stage, address, true, RECEIVE_BUFFER_BYTES, wrapper);
    }

    /** Connects a client with each of the properties above. If not {@code turning}, it does not wait for the handshake of the wrapper. */
    Client(Stage stage, InetSocketAddress address, boolean turning, int receiveBufferBytes,
            UnaryOperator<ClientSocket> wrapper) throws IOException {
        this.stage = stage;
        ClientSocket plain = stage.network() instanceof SimNetwork simulated
                ? new SimulatedSocket(simulated.host(InetAddress.ofLiteral("127.0.0.1"), SimEngine.EPOLL, FaultPlan.none()),
                        address, receiveBufferBytes)
                : new JdkSocket(address, turning, receiveBufferBytes);
        socket = wrapper.apply(plain);
        if (turning) {
            establish();
        } else {
            stage.until("connected", plain::finishConnect);
        }
    }

    private void establish() throws IOException {
        if (!established) {
            stage.until("connected", socket::finishConnect);
            established = true;
        }
    }

    /** The client's socket. */
    interface ClientSocket extends AutoCloseable {
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

    private record JdkSocket(SocketChannel channel) implements ClientSocket {
        JdkSocket(InetSocketAddress address, boolean turning, int receiveBufferBytes) throws IOException {
            this(UnixAddress.isUnix(address) ? SocketChannel.open(StandardProtocolFamily.UNIX) : SocketChannel.open());
            UnixAddress unix = UnixAddress.of(address);
            if (unix == null) {
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            }
            channel.setOption(StandardSocketOptions.SO_RCVBUF, receiveBufferBytes);
            channel.configureBlocking(!turning);
            channel.connect(unix == null ? address : UnixDomainSocketAddress.of(unix.path()));
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
            return channel.getLocalAddress() instanceof InetSocketAddress address ? address
                    : UnixAddress.unnamed().asInetSocketAddress();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    private record SimulatedSocket(TcpStream stream) implements ClientSocket {
        SimulatedSocket(SimHost host, InetSocketAddress address, int receiveBufferBytes) throws IOException {
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

    /** Returns the socket. */
    ClientSocket channel() {
        return socket;
    }

    InetSocketAddress localAddress() throws IOException {
        return socket.localAddress();
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    void send(String text) throws IOException {
        send(bytes(text));
    }

    void send(byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        stage.until("all bytes are sent", () -> {
            socket.write(buffer);
            return !buffer.hasRemaining();
        });
    }

    private ClientSocket plaintext() {
        return socket instanceof TlsClientSocket secured ? secured.inner() : socket;
    }

    /** Sends a text in plaintext, before TLS. */
    void sendPlaintext(String text) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes(text));
        stage.until("all bytes are sent", () -> {
            plaintext().write(buffer);
            return !buffer.hasRemaining();
        });
    }

    /** Sends a header in plaintext, and in one write with it a text, or the beginning of the TLS handshake before the text. */
    void send(String header, String text) throws IOException {
        if (socket instanceof TlsClientSocket secured) {
            secured.sendFirst(bytes(header));
            establish();
            send(text);
        } else {
            send(header + text);
        }
    }

    /** Writes once. Returns the number of bytes accepted by the socket. */
    int sendSome(byte[] bytes, int from) throws IOException {
        return socket.write(ByteBuffer.wrap(bytes, from, bytes.length - from));
    }

    /** Sends a text. What the socket refuses, for instance during a TLS handshake, is sent while the client receives. */
    void sendWithoutWaiting(String text) throws IOException {
        unsent = ByteBuffer.wrap(bytes(text));
        socket.write(unsent);
    }

    void sendUrgent(char c) throws IOException {
        socket.sendUrgent(c);
    }

    /** Receives once, after sending what is left of {@link #sendWithoutWaiting}. */
    private int read() throws IOException {
        if (unsent.hasRemaining()) {
            socket.write(unsent);
        }
        int read = socket.read(in.clear());
        in.flip();
        return read;
    }

    /** Waits for {@code count} bytes and returns them. */
    byte[] receive(int count) throws IOException {
        byte[] bytes = new byte[count];
        int received = 0;
        while (received < count) {
            if (!in.hasRemaining()) {
                fill(received, count);
            }
            int part = Math.min(in.remaining(), count - received);
            in.get(bytes, received, part);
            received += part;
        }
        return bytes;
    }

    private void fill(int received, int count) throws IOException {
        stage.until(count + " bytes, after " + received, () -> {
            int read = read();
            assertThat(read).as("bytes read after %d of %d", received, count).isNotNegative();
            return read > 0;
        });
    }

    String receiveText(int count) throws IOException {
        return new String(receive(count), StandardCharsets.ISO_8859_1);
    }

    /** Waits for a text, byte by byte in ISO 8859-1. */
    void expect(String text) throws IOException {
        assertThat(receiveText(text.length())).isEqualTo(text);
    }

    /** Waits for the end of input, without a byte before it, and ends the output, too. */
    void expectEnd() throws IOException {
        assertThat(restText()).isEmpty();
        finish();
    }

    /** Waits for a line and returns it without its line feed. */
    String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (byte b = receive(1)[0]; b != '\n'; b = receive(1)[0]) {
            line.append((char) (b & 0xff));
        }
        return line.toString();
    }

    /** Returns what has arrived, without waiting. */
    byte[] available() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        drainInto(bytes);
        while (read() > 0) {
            drainInto(bytes);
        }
        in.clear().flip();
        return bytes.toByteArray();
    }

    /** Receives until the end of input, which must not be a reset. Returns the bytes. */
    byte[] rest() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        receiveRest(bytes);
        return bytes.toByteArray();
    }

    private void receiveRest(ByteArrayOutputStream bytes) throws IOException {
        drainInto(bytes);
        stage.until("the end of the input", () -> {
            int read = read();
            drainInto(bytes);
            return read < 0;
        });
    }

    String restText() throws IOException {
        return new String(rest(), StandardCharsets.ISO_8859_1);
    }

    /**
     * Receives until the end of input after a {@link Connection#close}, which does not wait until the socket has room for TLS's
     * close_notify. A torture network can refuse it, and then the stream is truncated.
     */
    String restAfterClose() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            receiveRest(bytes);
        } catch (SSLException e) {
            assertThat(stage.network()).isInstanceOf(TortureNetwork.class);
            assertThat(e).hasMessage("truncated");
        }
        return bytes.toString(StandardCharsets.ISO_8859_1);
    }

    /** Receives until the connection ends. Returns true for an end of input, false for a reset. */
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

    /** Shuts down the output, after a TLS handshake. */
    void finish() throws IOException {
        establish();
        socket.shutdownOutput();
    }

    /** Shuts down the output of TCP, without a TLS handshake. */
    void finishPlaintext() throws IOException {
        plaintext().shutdownOutput();
    }

    /** Closes with a reset. */
    void reset() throws IOException {
        socket.linger(0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    @Override
    public String toString() {
        return "client " + socket;
    }

    /** Returns the concatenation of several arrays. */
    static byte[] join(byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        ByteBuffer all = ByteBuffer.allocate(length);
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }
}
