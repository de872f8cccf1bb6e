package io.trivet.nats;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Passes connections on to a nats-server, and can be cut: then it closes all of them, and new ones at once. */
final class CutProxy implements AutoCloseable {
    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final URI to;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private volatile boolean isCut;

    CutProxy(String url) throws IOException {
        to = URI.create(url);
        Thread.ofVirtual().start(this::accept);
    }

    String url() {
        return "nats://127.0.0.1:" + listener.getLocalPort();
    }

    void cut(boolean cut) throws IOException {
        isCut = cut;
        if (cut) {
            for (Socket socket : sockets) {
                socket.close();
            }
            sockets.clear();
        }
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listener.accept();
                if (isCut) {
                    client.close();
                    continue;
                }
                Socket server = new Socket(to.getHost(), to.getPort());
                sockets.addAll(List.of(client, server));
                Thread.ofVirtual().start(() -> pass(client, server));
                Thread.ofVirtual().start(() -> pass(server, client));
            }
        } catch (IOException e) {
            // The listener was closed.
        }
    }

    private static void pass(Socket from, Socket to) {
        try (from; to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            in.transferTo(out);
        } catch (IOException e) {
            // One of them was closed; the other is closed now.
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        cut(true);
    }
}
