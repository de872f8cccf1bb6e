package io.trivet.app;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** What a test's client says and hears on a plain socket. */
final class Wire {
    private Wire() {}

    static void say(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Exactly so many bytes. */
    static String hear(Socket socket, int bytes) throws IOException {
        return new String(socket.getInputStream().readNBytes(bytes), StandardCharsets.ISO_8859_1);
    }

    /** Everything until the server has finished. */
    static String hearAll(Socket socket) throws IOException {
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    /** A socket's own address as Python prints it. */
    static String python(Socket socket) {
        return "('127.0.0.1', " + socket.getLocalPort() + ")";
    }

    /** A socket's own address as Trivet prints it. */
    static String name(Socket socket) {
        return "127.0.0.1:" + socket.getLocalPort();
    }

    static Socket connect(InetSocketAddress address) throws IOException {
        Socket socket = new Socket();
        socket.setSoTimeout(20_000);
        socket.connect(address, 20_000);
        return socket;
    }
}
