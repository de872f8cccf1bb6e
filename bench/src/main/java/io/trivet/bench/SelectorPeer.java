package io.trivet.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/**
 * Plain java.nio, carefully written: one Selector that passes keys to a method without building a set of them, and one direct buffer for all
 * clients. Bytes that a socket does not accept are kept with its key, and the client is not read from until they have been sent.
 */
public final class SelectorPeer {
    private final Selector selector = Selector.open();
    private final ServerSocketChannel listener = ServerSocketChannel.open();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);
    private final boolean broadcast;

    private SelectorPeer(int port, Service service) throws IOException {
        broadcast = switch (service) {
            case ECHO -> false;
            case BROADCAST -> true;
            case FRAMED, LINES, STRINGS -> throw service.unsupported();
        };
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 4096).configureBlocking(false);
        listener.register(selector, SelectionKey.OP_ACCEPT);
    }

    /** Arguments: the port and the service. */
    static void main(String[] args) throws IOException {
        SelectorPeer peer = new SelectorPeer(Integer.parseInt(args[0]), Service.named(args[1]));
        Probe.start();
        while (true) {
            peer.selector.select(peer::serve);
        }
    }

    private void serve(SelectionKey key) {
        try {
            if (!key.isValid()) {
                return;
            }
            if (key.isAcceptable()) {
                accept();
            } else if (key.isWritable()) {
                sendRest(key);
            } else {
                receive(key);
            }
        } catch (IOException e) {
            close(key);
        }
    }

    private void accept() throws IOException {
        for (SocketChannel client = listener.accept(); client != null; client = listener.accept()) {
            client.configureBlocking(false);
            client.setOption(StandardSocketOptions.TCP_NODELAY, true);
            client.register(selector, SelectionKey.OP_READ);
        }
    }

    private void receive(SelectionKey key) throws IOException {
        if (((SocketChannel) key.channel()).read(buffer.clear()) < 0) {
            close(key);
            return;
        }
        buffer.flip();
        if (!broadcast) {
            send(key);
            return;
        }
        for (SelectionKey other : selector.keys()) {
            if (other.isValid() && other.channel() instanceof SocketChannel) {
                try {
                    buffer.rewind();
                    send(other);
                } catch (IOException e) {
                    close(other);
                }
            }
        }
    }

    private void send(SelectionKey key) throws IOException {
        if (key.attachment() == null) {
            ((SocketChannel) key.channel()).write(buffer);
        }
        if (buffer.hasRemaining()) {
            keepUnsent(key);
        }
    }

    private void keepUnsent(SelectionKey key) {
        ByteBuffer previous = key.attachment() == null ? ByteBuffer.allocate(0) : (ByteBuffer) key.attachment();
        key.attach(ByteBuffer.allocateDirect(previous.remaining() + buffer.remaining()).put(previous).put(buffer).flip());
        key.interestOps(SelectionKey.OP_WRITE);
    }

    private static void sendRest(SelectionKey key) throws IOException {
        ByteBuffer rest = (ByteBuffer) key.attachment();
        ((SocketChannel) key.channel()).write(rest);
        if (!rest.hasRemaining()) {
            key.attach(null);
            key.interestOps(SelectionKey.OP_READ);
        }
    }

    private static void close(SelectionKey key) {
        key.cancel();
        try {
            key.channel().close();
        } catch (IOException e) {
            System.err.println("selector: " + e.getMessage());
        }
    }
}
