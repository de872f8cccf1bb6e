package io.trivet.nio;

import io.trivet.net.Addresses;
import io.trivet.net.Interest;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/** A TCP listener on a {@link ServerSocketChannel}, or a {@link NioUnixListener}. */
sealed class NioTcpListener extends NioSocket implements TcpListener permits NioUnixListener {
    private final ServerSocketChannel channel;
    private final InetSocketAddress address;

    NioTcpListener(NioNetwork network, ServerSocketChannel channel, InetSocketAddress address) {
        super(network, channel);
        this.channel = channel;
        this.address = address;
    }

    @Override
    int ops(int interest) {
        return (interest & Interest.READ) != 0 ? SelectionKey.OP_ACCEPT : 0; // a listener is never writable
    }

    @Override
    public @Nullable TcpStream accept() throws IOException {
        checkOpen();
        try {
            SocketChannel accepted = channel.accept();
            return accepted == null ? null : stream(accepted);
        } catch (IOException e) {
            throw failure("accept", e);
        }
    }

    private NioTcpStream stream(SocketChannel accepted) throws IOException {
        try {
            accepted.configureBlocking(false);
            return new NioTcpStream(nioNetwork(), accepted, NioUnixListener.inetAddress(accepted.getRemoteAddress()), true, null);
        } catch (IOException e) {
            accepted.close();
            throw e;
        }
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        checkOpen();
        return address;
    }

    @Override
    public String toString() {
        return "listener " + Addresses.toString(address);
    }
}
