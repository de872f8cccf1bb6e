package io.trivet.bench;

import io.trivet.net.Network;
import io.trivet.server.Connection;
import io.trivet.server.Server;
import io.trivet.server.TransferListener;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Measures what the loop of a server spends on sending a file to a client on the same machine: with {@code Connection.sendFile}, or with
 * {@code Connection.sendFrom} and the file's channel, which copies every byte into the process and out again.
 *
 * <p>For each line on standard input ({@code sendfile} or {@code copy}, and an engine) it sends the file once and prints the processor time of
 * the loop's thread in nanoseconds per MiB. {@code sendfile-cost} runs it.
 */
public final class FileCost {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final Duration WAIT = Duration.ofMillis(100);

    private final Path file;
    private long startNanos;
    private long sent;

    private FileCost(Path file) {
        this.file = file;
    }

    /** Answers any message with the file. */
    private void send(Connection connection, String how) throws IOException {
        startNanos = THREADS.getCurrentThreadCpuTime();
        TransferListener listener = (of, bytes, failure) -> {
            if (failure != null) {
                throw failure;
            }
            sent = bytes;
        };
        if (how.equals("sendfile")) {
            connection.sendFile(file, 0, -1, listener);
        } else {
            connection.sendFrom(FileChannel.open(file), Files.size(file), listener);
        }
    }

    private long nanosPerMebibyte(String how, String engine) throws IOException {
        sent = 0;
        try (Server server = Server.builder()
                .network(Network.named(engine))
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .onMessage((connection, message) -> send(connection, how))
                .open()) {
            Thread.ofPlatform().daemon().start(() -> receive(server.address()));
            while (sent == 0) {
                server.turn(WAIT);
            }
            return (THREADS.getCurrentThreadCpuTime() - startNanos) / (sent >> 20);
        }
    }

    private static void receive(InetSocketAddress address) {
        ByteBuffer memory = ByteBuffer.allocateDirect(256 << 10);
        try (SocketChannel client = SocketChannel.open(address)) {
            client.write(ByteBuffer.wrap(new byte[]{'\n'}));
            while (client.read(memory.clear()) >= 0) {
                // The bytes are discarded.
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Runs the measurements.
     *
     * @param args the file
     * @throws IOException a measurement fails
     */
    public static void main(String[] args) throws IOException {
        FileCost cost = new FileCost(Path.of(args[0]));
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            int space = line.indexOf(' ');
            System.out.println(cost.nanosPerMebibyte(line.substring(0, space), line.substring(space + 1)));
        }
    }
}
