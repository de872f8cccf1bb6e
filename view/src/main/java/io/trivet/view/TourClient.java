package io.trivet.view;

import io.trivet.net.UnixAddress;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The client that the guided tour plays with: it connects to the server from within its own process. Any thread. */
final class TourClient {
    /** More than the buffers of both sockets hold, so that the server has to queue replies; but not endless. */
    private static final int FLOOD_BYTES_MAX = 32 << 20;
    private static final Duration FLOOD_TIME_MAX = Duration.ofSeconds(5);
    private static final int LOOK_MILLIS = 50;
    private static final int TIMEOUT_MILLIS = 2000;
    /** If nothing arrives for so long, everything has been read. */
    private static final int QUIET_MILLIS = 1000;

    /** What the flood consists of. Its rest is sent while the client reads, because an unfinished message has a timeout. */
    private final ByteBuffer line = ByteBuffer.wrap((".".repeat(65_535) + "\n").getBytes(StandardCharsets.US_ASCII));
    private final Server server;
    private @Nullable SocketChannel channel;
    /** Of the channel, while it is open. */
    private volatile @Nullable SocketAddress local;

    TourClient(Server server) {
        this.server = server;
    }

    /**
     * Does a step: connect, send, urgent, flood (send and read nothing), read (all that has arrived) or leave.
     *
     * @return false if there is no such step
     * @throws IOException the step is not possible
     */
    synchronized boolean run(String step) throws IOException {
        switch (step) {
            case "connect" -> connect();
            case "send" -> connected().write(ByteBuffer.wrap("hello\n".getBytes(StandardCharsets.US_ASCII)));
            case "urgent" -> connected().socket().sendUrgentData('!');
            case "flood" -> flood();
            case "read" -> read();
            case "leave" -> close();
            default -> {
                return false;
            }
        }
        return true;
    }

    private void connect() throws IOException {
        close();
        InetSocketAddress address = server.addresses().stream().filter(other -> !UnixAddress.isUnix(other)).findFirst()
                .orElseThrow(() -> new IOException("the server listens at no TCP address"));
        InetSocketAddress target = address.getAddress().isAnyLocalAddress()
                ? new InetSocketAddress(InetAddress.getLoopbackAddress(), address.getPort())
                : address;
        SocketChannel opened = SocketChannel.open();
        try {
            opened.socket().connect(target, TIMEOUT_MILLIS); // the kernel completes it even while the loop stands still
            opened.configureBlocking(false);
        } catch (IOException e) {
            opened.close();
            throw e;
        }
        line.clear();
        channel = opened;
        local = opened.getLocalAddress();
    }

    /** Returns the address from which it is connected, or null. Does not wait for a step that is being done. */
    @Nullable
    SocketAddress address() {
        return local;
    }

    private SocketChannel connected() throws IOException {
        SocketChannel current = channel;
        if (current == null || !current.isOpen()) {
            throw new IOException("it is not connected");
        }
        return current;
    }

    /** Sends until the server has stopped to read from this client, because replies wait for it. */
    private void flood() throws IOException {
        SocketChannel current = connected();
        long deadline = System.nanoTime() + FLOOD_TIME_MAX.toNanos();
        long sum = 0;
        try (Selector selector = Selector.open()) {
            SelectionKey key = current.register(selector, SelectionKey.OP_WRITE);
            while (sum < FLOOD_BYTES_MAX && System.nanoTime() - deadline < 0
                    && !(line.position() == line.limit() && isHeldBack(current))) {
                if (selector.select(LOOK_MILLIS) > 0) {
                    selector.selectedKeys().clear();
                    sum += current.write(line.hasRemaining() ? line : line.rewind());
                }
            }
            key.cancel();
        }
        if (!isHeldBack(current)) {
            throw new IOException("no replies wait for it, after it has sent " + (sum >> 20)
                    + " MiB: this server sends it nothing back, or has no limit that stops reading from it");
        }
    }

    /** Returns true if the server waits for room in the socket of this client, and does not read from it meanwhile. */
    private boolean isHeldBack(SocketChannel current) throws IOException {
        SocketAddress local = current.getLocalAddress();
        return server.connections().stream()
                .anyMatch(now -> local.equals(now.remoteAddress()) && now.writable() && !now.readable());
    }

    /** Reads until nothing more arrives: while it reads, the server sends what has been waiting. */
    private void read() throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        SocketChannel current = connected();
        try (Selector selector = Selector.open()) {
            SelectionKey key = current.register(selector, SelectionKey.OP_READ);
            while (selector.select(QUIET_MILLIS) > 0 && current.read(buffer.clear()) >= 0) {
                selector.selectedKeys().clear();
                if (line.position() > 0 && line.hasRemaining()) {
                    current.write(line);
                }
            }
            key.cancel();
        }
    }

    synchronized void close() {
        SocketChannel current = channel;
        channel = null;
        local = null;
        if (current != null) {
            try {
                current.close();
            } catch (IOException e) {
                // It is closed in any case.
            }
        }
    }
}
