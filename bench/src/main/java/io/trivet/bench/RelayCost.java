package io.trivet.bench;

import io.trivet.net.Network;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Overflow;
import io.trivet.server.Protocol;
import io.trivet.server.Server;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Measures what the loop of a proxy spends on a stream from a client to a server on the same machine: with {@code Connection.relayTo}, or
 * by sending each piece to the other connection in {@code onMessage}.
 *
 * <p>For each line on standard input ({@code relay} or {@code forward}, an engine, and the number of bytes that the client writes at a time)
 * it passes 256 MiB once, and prints the processor time of the loop's thread in nanoseconds per MiB. {@code relay-cost} runs it.
 */
public final class RelayCost {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final Duration WAIT = Duration.ofMillis(100);
    private static final int MEBIBYTES = 256;

    private final boolean relays;
    private final InetSocketAddress target;
    private long startNanos;
    private boolean hasEnded;

    private RelayCost(boolean relays, InetSocketAddress target) {
        this.relays = relays;
        this.target = target;
    }

    /** One direction: from the client to the target. */
    private final class Proxy implements Handler {
        @SuppressWarnings("NullAway.Init") // by onOpen, before any other callback
        private Connection upstream;

        @Override
        public void onOpen(Connection client) {
            startNanos = THREADS.getCurrentThreadCpuTime();
            upstream = client.connect(target, Protocol.of(Framing.raw(), new Upstream(client)), null);
            if (relays) {
                client.relayTo(upstream);
            }
        }

        @Override
        public void onMessage(Connection client, ByteBuffer bytes) {
            upstream.send(bytes);
            if (upstream.queue().isHigh()) {
                client.pauseReading();
            }
        }

        @Override
        public void onEndOfInput(Connection client) {
            upstream.finishOutput();
        }
    }

    private final class Upstream implements Handler {
        private final Connection client;

        Upstream(Connection client) {
            this.client = client;
        }

        @Override
        public void onMessage(Connection upstream, ByteBuffer bytes) {}

        @Override
        public void onDrained(Connection upstream) {
            client.resumeReading();
        }

        @Override
        public void onEndOfInput(Connection upstream) { // the target has received everything
            hasEnded = true;
        }
    }

    private long nanosPerMebibyte(String engine, int chunkBytes) throws IOException {
        try (Server server = Server.builder()
                .network(Network.named(engine))
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .overflow(Overflow.DISCONNECT)
                .handlers(Proxy::new)
                .open()) {
            Thread.ofPlatform().daemon().start(() -> send(server.address(), chunkBytes));
            while (!hasEnded) {
                server.turn(WAIT);
            }
            return (THREADS.getCurrentThreadCpuTime() - startNanos) / MEBIBYTES;
        }
    }

    private static void send(InetSocketAddress address, int chunkBytes) {
        byte[] chunk = new byte[chunkBytes];
        try (Socket client = new Socket(address.getAddress(), address.getPort())) {
            client.setTcpNoDelay(true);
            for (int left = MEBIBYTES << 20; left > 0; left -= chunkBytes) {
                client.getOutputStream().write(chunk, 0, Math.min(left, chunkBytes));
            }
            client.shutdownOutput();
            client.getInputStream().read();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void receive(ServerSocket listener) {
        byte[] memory = new byte[256 << 10];
        try (Socket accepted = listener.accept()) {
            while (accepted.getInputStream().read(memory) >= 0) {
                // The bytes are discarded.
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Runs the measurements.
     *
     * @param args none
     * @throws IOException a measurement fails
     */
    public static void main(String[] args) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ", -1);
            try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                Thread.ofPlatform().daemon().start(() -> receive(listener));
                RelayCost cost = new RelayCost(words[0].equals("relay"),
                        new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort()));
                System.out.println(cost.nanosPerMebibyte(words[1], Integer.parseInt(words[2])));
            }
        }
    }
}
