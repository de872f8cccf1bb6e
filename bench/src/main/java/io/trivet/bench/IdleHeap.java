package io.trivet.bench;

import io.trivet.net.Network;
import io.trivet.server.Framing;
import io.trivet.server.Server;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What an idle connection costs: the slope of the live heap, and of the resident memory, between 5,000 and 15,000 connections that have each
 * sent one line and got it back. The clients are a process of their own, since a process may have no more than some 20,000 descriptors.
 *
 * <p>Run: {@code java -cp bench/target/classes:core/target/classes io.trivet.bench.IdleHeap [engine]}
 */
public final class IdleHeap {
    private static final int FEW = 5_000;
    private static final int MANY = 15_000;
    private static final String CLIENTS = "clients";

    private IdleHeap() {}

    /** Args: the engine; or, for the child, "clients" and the port. */
    static void main(String[] args) throws Exception {
        if (args.length == 2 && args[0].equals(CLIENTS)) {
            connect(Integer.parseInt(args[1]));
            return;
        }
        String engine = args.length > 0 ? args[0] : "epoll";
        try (Server server = Server.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .network(Network.named(engine))
                .framing(Framing.lines())
                .onMessage((connection, message) -> connection.send(message))
                .start()) {
            ProcessHandle.Info self = ProcessHandle.current().info();
            Process clients = new ProcessBuilder(self.command().orElseThrow(), "-cp", System.getProperty("java.class.path"),
                    IdleHeap.class.getName(), CLIENTS, Integer.toString(server.address().getPort()))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            try {
                long[] few = measure(server, clients, FEW);
                long[] many = measure(server, clients, MANY);
                System.out.printf("%s, %s: %.1f bytes of heap, %.1f resident, for an idle connection (slope from %,d to %,d)%n",
                        engine, Runtime.version(), (many[0] - few[0]) / (double) (MANY - FEW),
                        (many[1] - few[1]) / (double) (MANY - FEW), FEW, MANY);
            } finally {
                clients.destroy();
            }
        }
    }

    private static long[] measure(Server server, Process clients, int count) throws IOException, InterruptedException {
        clients.getOutputStream().write((count + "\n").getBytes(StandardCharsets.US_ASCII));
        clients.getOutputStream().flush();
        int answer = clients.getInputStream().read();
        if (answer != '\n' || server.stats().total().connections() != count) {
            throw new IOException("the clients did not connect: " + server.stats().total().connections() + " of " + count);
        }
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 5; i++) {
            System.gc();
            Thread.sleep(200);
            least = Math.min(least, memory.getHeapMemoryUsage().getUsed());
        }
        return new long[]{least, residentBytes()};
    }

    private static long residentBytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        throw new IOException("no VmRSS");
    }

    private static void connect(int port) throws IOException {
        List<SocketChannel> channels = new ArrayList<>();
        BufferedReader lines = new BufferedReader(
                new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        ByteBuffer line = ByteBuffer.wrap("hello\n".getBytes(StandardCharsets.US_ASCII));
        for (String count = lines.readLine(); count != null; count = lines.readLine()) {
            while (channels.size() < Integer.parseInt(count)) {
                SocketChannel channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                channel.write(line.clear());
                for (line.clear(); line.hasRemaining();) {
                    if (channel.read(line) < 0) {
                        throw new IOException("the server has closed a connection");
                    }
                }
                channels.add(channel);
            }
            System.out.print('\n');
            System.out.flush();
        }
    }
}
