package io.trivet.view;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** Sends requests byte for byte, so that a test can forge every header. */
final class RawHttp {
    private RawHttp() {}

    /** An answer: its status, its head and its body. */
    record Answer(int status, String head, String body) {}

    /** Sends a request with these headers, each ending with a line break, and returns the answer. */
    static Answer send(InetSocketAddress address, String requestLine, String headers) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(address, 10_000);
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write((requestLine + " HTTP/1.1\r\n" + headers + "Connection: close\r\n\r\n")
                    .getBytes(StandardCharsets.ISO_8859_1));
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            socket.getInputStream().transferTo(all);
            String text = all.toString(StandardCharsets.UTF_8);
            int end = text.indexOf("\r\n\r\n");
            String head = end < 0 ? text : text.substring(0, end);
            return new Answer(
                    head.isEmpty() ? 0 : Integer.parseInt(head.substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length())), head,
                    end < 0 ? "" : text.substring(end + 4));
        }
    }

    /** Sends an honest GET with the token. */
    static Answer get(View view, String path) throws IOException {
        return send(view.address(), "GET " + path, host(view) + "Authorization: Bearer " + view.token() + "\r\n");
    }

    /** Sends an honest POST with the token. */
    static Answer post(View view, String path) throws IOException {
        return send(view.address(), "POST " + path, host(view) + "Origin: http://127.0.0.1:" + view.address().getPort()
                + "\r\nContent-Length: 0\r\nAuthorization: Bearer " + view.token() + "\r\n");
    }

    static String host(View view) {
        return "Host: 127.0.0.1:" + view.address().getPort() + "\r\n";
    }
}
