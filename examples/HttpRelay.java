import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Frame;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Messages;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Streams of any length, with little memory: what one client uploads, another one downloads at the same time, and neither is
 * stored. A file of the directory is sent too, or a range of it. One loop serves all clients; a connection serves one request.
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/HttpRelay.java [HOST PORT DIRECTORY]
 *     curl localhost:8080/name > copy
 *     curl -T original localhost:8080/name
 */
public final class HttpRelay implements Handler {
    private static final Pattern REQUEST = Pattern.compile("(GET|PUT) /([A-Za-z0-9_-][A-Za-z0-9._-]*) HTTP/1\\.[01]");
    private static final Pattern LENGTH = Pattern.compile("(?im)^Content-Length: *([0-9]{1,18}) *$");
    private static final Pattern RANGE = Pattern.compile("(?im)^Range: *bytes=([0-9]{1,18})-([0-9]{1,18})? *$");

    /** What all clients share; clients that wait for another one, by name. */
    private record Shared(Path directory, Map<String, HttpRelay> uploads, Map<String, HttpRelay> downloads) {}

    private final Shared shared;
    private Connection connection;
    private String name;
    private long length;

    private HttpRelay(Shared shared) {
        this.shared = shared;
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        InetSocketAddress address = args.length < 2
                ? new InetSocketAddress("127.0.0.1", 8080)
                : new InetSocketAddress(args[0], Integer.parseInt(args[1]));
        Shared shared = new Shared(Path.of(args.length < 3 ? "." : args[2]), new HashMap<>(), new HashMap<>());
        try (Server server = Server.builder()
                .listen(address)
                .framing(Framing.of(HttpRelay::decode))
                .handlers(() -> new HttpRelay(shared))
                .start()) {
            System.out.println("http on port " + server.address().getPort());
            server.join();
        }
    }

    /** Finds the end of a request's head, an empty line. The body, if any, is relayed. */
    private static void decode(ByteBuffer in, int from, int to, Frame frame) {
        for (int at = frame.searchFrom(); at <= to - 4; at++) {
            if (in.getInt(at) == 0x0d0a0d0a) {
                frame.message(from, at, at + 4);
                return;
            }
        }
        frame.scannedTo(Math.max(from, to - 3));
    }

    @Override
    public void onOpen(Connection connection) {
        this.connection = connection;
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer bytes) throws IOException {
        String head = Messages.text(bytes, ISO_8859_1).replace("\r", "");
        Matcher request = REQUEST.matcher(head.lines().findFirst().orElse(""));
        if (name != null || !request.matches()) {
            answer("400 Bad Request");
            return;
        }
        name = request.group(2);
        if (request.group(1).equals("PUT")) {
            upload(LENGTH.matcher(head));
        } else if (Files.isRegularFile(shared.directory.resolve(name))) {
            sendFile(shared.directory.resolve(name), RANGE.matcher(head));
        } else {
            download();
        }
    }

    private void answer(String status) {
        connection.send("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        connection.finish();
    }

    // ---- from client to client

    private void upload(Matcher contentLength) {
        if (!contentLength.find()) {
            answer("411 Length Required");
        } else if (shared.uploads.putIfAbsent(name, this) != null) {
            answer("409 Conflict");
        } else {
            length = Long.parseLong(contentLength.group(1));
            connection.pauseReading(); // until there is a client to relay the body to
            join();
        }
    }

    private void download() {
        if (shared.downloads.putIfAbsent(name, this) != null) {
            answer("409 Conflict");
        } else {
            join();
        }
    }

    /** Starts the stream if both ends are here. */
    private void join() {
        if (shared.uploads.containsKey(name) && shared.downloads.containsKey(name)) {
            HttpRelay upload = shared.uploads.remove(name);
            HttpRelay download = shared.downloads.remove(name);
            download.connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + upload.length + "\r\nConnection: close\r\n\r\n");
            upload.connection.send("HTTP/1.1 100 Continue\r\n\r\n");
            upload.connection.relayTo(download.connection, upload.length, (peer, bytes, failure) -> {
                if (failure == null) { // otherwise both were reset: neither end takes a part for the whole
                    upload.answer("200 OK");
                }
            });
            upload.connection.resumeReading();
            download.connection.finish(); // when the body has been relayed
        }
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        shared.uploads.remove(name, this);
        shared.downloads.remove(name, this);
    }

    // ---- files

    private void sendFile(Path file, Matcher range) throws IOException {
        long size = Files.size(file);
        boolean hasRange = range.find();
        long from = hasRange ? Long.parseLong(range.group(1)) : 0;
        long to = hasRange && range.group(2) != null ? Math.min(size, Long.parseLong(range.group(2)) + 1) : size;
        if (hasRange && from >= to) {
            answer("416 Range Not Satisfiable");
            return;
        }
        connection.send("HTTP/1.1 " + (hasRange ? "206 Partial Content\r\nContent-Range: bytes " + from + "-" + (to - 1) + "/" + size
                : "200 OK") + "\r\nContent-Length: " + (to - from) + "\r\nConnection: close\r\n\r\n");
        connection.sendFile(file, from, to - from, (peer, bytes, failure) -> {
            if (failure != null) {
                System.err.println(file + ": " + failure.getMessage());
            }
        });
        connection.finish(); // when the file has been sent
    }
}
