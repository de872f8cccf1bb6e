package io.trivet.scenarios;

import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Poller;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UnixAddress;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A client's socket, registered with the poller of its host: a stream, or a listener until the server has connected to it. */
final class ClientSocket {
    private static final int BACKLOG = 4;

    private final SimHost host;
    private final Poller poller;
    private final int token;
    private final int bufferBytes;
    private @Nullable TcpListener listener;
    private @Nullable TcpStream stream;
    private int interest = -1;

    /**
     * Creates a socket that is not open.
     *
     * @param host the host
     * @param poller the poller of the host
     * @param token the token of its readiness events
     * @param bufferBytes the size of its buffers; 0 for the default
     */
    ClientSocket(SimHost host, Poller poller, int token, int bufferBytes) {
        this.host = host;
        this.poller = poller;
        this.token = token;
        this.bufferBytes = bufferBytes;
    }

    void listen(InetSocketAddress address) throws IOException {
        listener = host.listen(address, BACKLOG);
        poller.register(listener, Interest.READ, token);
    }

    /**
     * Starts a connect. The stream is not registered yet.
     *
     * @return the local address
     */
    InetSocketAddress connect(InetSocketAddress address) throws IOException {
        UnixAddress unix = UnixAddress.of(address);
        TcpStream connecting = unix == null ? host.connect(address)
                : host.connect(unix, UnixAddress.parse("unix:@client " + token)); // a name of its own, to tell the clients apart
        stream = connecting;
        return connecting.localAddress();
    }

    /** Registers a connecting stream: it is writable once it is connected. */
    void awaitConnected() throws IOException {
        TcpStream connecting = stream();
        setBuffers(connecting);
        poller.register(connecting, Interest.WRITE, token);
        interest = Interest.WRITE;
    }

    /**
     * Accepts the server's connection. Returns false if there is none, or if no descriptor or memory is left: then the connection
     * stays in the backlog.
     */
    boolean accept() throws IOException {
        TcpListener from = Objects.requireNonNull(listener);
        TcpStream accepted;
        try {
            accepted = from.accept();
        } catch (NetworkException e) {
            return false;
        }
        if (accepted == null) {
            return false;
        }
        poller.deregister(from);
        from.close();
        listener = null;
        stream = accepted;
        poller.register(accepted, 0, token);
        interest = 0;
        setBuffers(accepted);
        return true;
    }

    private void setBuffers(TcpStream fresh) throws IOException {
        if (bufferBytes > 0) {
            fresh.setOption(StandardSocketOptions.SO_RCVBUF, bufferBytes);
            fresh.setOption(StandardSocketOptions.SO_SNDBUF, bufferBytes);
        }
    }

    /** Changes what the poller watches for. */
    void watch(int wanted) throws IOException {
        if (wanted != interest) {
            interest = wanted;
            poller.modify(stream(), wanted, token);
        }
    }

    int interest() {
        return Math.max(0, interest);
    }

    boolean isListening() {
        return listener != null;
    }

    boolean hasStream() {
        return stream != null;
    }

    TcpStream stream() {
        return Objects.requireNonNull(stream);
    }

    /** Closes the stream and the listener, if open. */
    void close(Consumer<IOException> onFailure) {
        close(stream, onFailure);
        close(listener, onFailure);
    }

    private void close(@Nullable Socket socket, Consumer<IOException> onFailure) {
        if (socket == null) {
            return;
        }
        try {
            if (poller.registration(socket) != null) {
                poller.deregister(socket);
            }
            socket.close();
        } catch (IOException e) {
            onFailure.accept(e);
        }
    }
}
