package io.trivet.app;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** Text over a plain {@link Socket}, for the clients of tests. */
final class PlainSocket {
    private PlainSocket() {}

    static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Receives exactly this many bytes; fewer at the end of input. */
    static String receive(Socket socket, int bytes) throws IOException {
        return new String(socket.getInputStream().readNBytes(bytes), StandardCharsets.ISO_8859_1);
    }

    /** Receives everything up to the end of input. */
    static String receiveAll(Socket socket) throws IOException {
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    /** Returns the socket's local address as Python prints it. */
    static String pythonAddress(Socket socket) {
        return "('127.0.0.1', " + socket.getLocalPort() + ")";
    }

    /** Returns the socket's local address as Trivet prints it. */
    static String name(Socket socket) {
        return "127.0.0.1:" + socket.getLocalPort();
    }

    static Socket connect(InetSocketAddress address) throws IOException {
        Socket socket = new Socket();
        socket.setSoTimeout((int) Program.TIMEOUT_SECONDS * 1000);
        socket.connect(address, 20_000);
        return socket;
    }
}
