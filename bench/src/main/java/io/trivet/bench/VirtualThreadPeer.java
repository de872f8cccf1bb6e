package io.trivet.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A virtual thread for each client, with blocking reads and writes. A blocked read holds a buffer: 8 KiB, and once a client has filled it,
 * larger ones up to 64 KiB.
 */
public final class VirtualThreadPeer {
    private static final int BUFFER_BYTES = 8 * 1024;
    private static final int BUFFER_BYTES_MAX = 64 * 1024;

    private VirtualThreadPeer() {}

    /** Args: the port, and what is served. */
    static void main(String[] args) throws IOException {
        Service service = Service.named(args[1]);
        boolean broadcast = switch (service) {
            case ECHO -> false;
            case BROADCAST -> true;
            case FRAMED, LINES, STRINGS -> throw service.notHere();
        };
        Set<Socket> clients = ConcurrentHashMap.newKeySet();
        try (ServerSocket listener = new ServerSocket(Integer.parseInt(args[0]), 4096, InetAddress.getLoopbackAddress())) {
            Probe.start();
            while (true) {
                Socket client = listener.accept();
                if (broadcast) {
                    clients.add(client);
                }
                Thread.startVirtualThread(() -> serve(client, broadcast, clients));
            }
        }
    }

    private static void serve(Socket client, boolean broadcast, Set<Socket> clients) {
        try (client) {
            client.setTcpNoDelay(true);
            InputStream in = client.getInputStream();
            OutputStream out = client.getOutputStream();
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                if (broadcast) {
                    sendToAll(clients, buffer, count);
                } else {
                    out.write(buffer, 0, count);
                }
                if (count == buffer.length && count < BUFFER_BYTES_MAX) {
                    buffer = new byte[2 * count];
                }
            }
        } catch (IOException e) {
            // A client that resets its connection has left as well as one that closes it.
        } finally {
            clients.remove(client);
        }
    }

    /** One writer at a time a client. One that does not read holds up the sender: a queue for each would be another program. */
    private static void sendToAll(Set<Socket> clients, byte[] bytes, int count) {
        for (Socket client : clients) {
            try {
                synchronized (client) {
                    client.getOutputStream().write(bytes, 0, count);
                }
            } catch (IOException e) {
                // Its own thread, which reads, is told the same and takes it out.
            }
        }
    }
}
