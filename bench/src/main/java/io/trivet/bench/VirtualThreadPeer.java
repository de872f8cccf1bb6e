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
 * One virtual thread per client, with blocking reads and writes. A blocked read holds a buffer of 8 KiB, which grows up to 64 KiB each time the
 * client fills it.
 */
public final class VirtualThreadPeer {
    private static final int BUFFER_BYTES = 8 * 1024;
    private static final int BUFFER_BYTES_MAX = 64 * 1024;

    private VirtualThreadPeer() {}

    /** Arguments: the port and the service. */
    static void main(String[] args) throws IOException {
        Service service = Service.named(args[1]);
        boolean broadcast = switch (service) {
            case ECHO -> false;
            case BROADCAST -> true;
            case FRAMED, LINES, STRINGS -> throw service.unsupported();
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
            // A reset ends the connection just as a close does.
        } finally {
            clients.remove(client);
        }
    }

    /** One writer at a time per client. A client that does not read blocks the sender: a queue per client would be a different program. */
    private static void sendToAll(Set<Socket> clients, byte[] bytes, int count) {
        for (Socket client : clients) {
            try {
                synchronized (client) {
                    client.getOutputStream().write(bytes, 0, count);
                }
            } catch (IOException e) {
                // The client's own reading thread gets the same error and removes it.
            }
        }
    }
}
