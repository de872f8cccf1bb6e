package io.trivet.scenarios;

import io.trivet.net.Network;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import org.jspecify.annotations.Nullable;

/**
 * A listener of a server under test. Reports the clients that the server accepts itself, without a completion: when it tries again
 * after a failed accept, and when it drains.
 */
final class ObservedListener implements TcpListener {
    private final ServerUnderTest server;
    private final TcpListener listener;

    ObservedListener(ServerUnderTest server, TcpListener listener) {
        this.server = server;
        this.listener = listener;
    }

    /** Returns the listener that the simulated host knows. */
    TcpListener listener() {
        return listener;
    }

    @Override
    public @Nullable TcpStream accept() throws IOException {
        TcpStream stream = listener.accept();
        if (stream != null) {
            server.counters.accepted++;
            server.admissions.acceptsItself(stream);
        }
        return stream;
    }

    // ---- delegated unchanged

    @Override
    public InetSocketAddress localAddress() throws IOException {
        return listener.localAddress();
    }

    @Override
    public Network network() {
        return listener.network();
    }

    @Override
    public int fd() {
        return listener.fd();
    }

    @Override
    public boolean isOpen() {
        return listener.isOpen();
    }

    @Override
    public <T> void setOption(SocketOption<T> option, T value) throws IOException {
        listener.setOption(option, value);
    }

    @Override
    public <T> T getOption(SocketOption<T> option) throws IOException {
        return listener.getOption(option);
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
