package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A client in the tests: a channel of the JDK, so that the other side of a test is not the code under test. While it waits, the stage goes
 * on: opened servers are turned.
 */
final class Client implements AutoCloseable {
    /** Given, so that it does not grow: newer kernels let it grow to 32 MiB, and then a client that does not read fills nobody's queue. */
    private static final int RECEIVE_BUFFER_BYTES = 256 << 10;

    private final Stage stage;
    private final SocketChannel channel;
    private final ByteBuffer in = ByteBuffer.allocate(1 << 16).flip();

    Client(Stage stage, InetSocketAddress address) throws IOException {
        this(stage, address, true);
    }

    /** A client that is connected; while it waits for that, opened servers are turned, or not. */
    Client(Stage stage, InetSocketAddress address, boolean turning) throws IOException {
        this.stage = stage;
        channel = SocketChannel.open();
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER_BYTES);
        channel.configureBlocking(!turning);
        channel.connect(address);
        channel.configureBlocking(false);
        stage.until("connected", channel::finishConnect);
    }

    /** The JDK's channel. */
    SocketChannel channel() {
        return channel;
    }

    InetSocketAddress localAddress() throws IOException {
        return (InetSocketAddress) channel.getLocalAddress();
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
            channel.write(buffer);
            return !buffer.hasRemaining();
        });
    }

    /** Sends what the socket takes now; how much. */
    int sendSome(byte[] bytes, int from) throws IOException {
        return channel.write(ByteBuffer.wrap(bytes, from, bytes.length - from));
    }

    void sendUrgent(char c) throws IOException {
        channel.socket().sendUrgentData(c);
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
            int read = channel.read(in.clear());
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
        while (channel.read(in.clear()) > 0) {
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
            int read = channel.read(in.clear());
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
        channel.shutdownOutput();
    }

    /** Closes by a reset. */
    void reset() throws IOException {
        channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        channel.close();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    @Override
    public String toString() {
        return "client " + channel;
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
