package io.trivet.bench;

import io.trivet.net.Network;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures the cost of one {@code Select.select} on a set of connected sockets of which one is ready, for each engine; and for comparison the
 * cost of the same question to a new java.nio Selector.
 *
 * <p>For each line on standard input (an engine's name, {@code static} for {@code Select.select}, or {@code selector}) it measures for 200 ms
 * and prints the processor time per call in nanoseconds. {@code select-cost} runs it in turn with equivalent programs in C and Python.
 */
public final class SelectCost {
    private static final long MEASURE_NANOS = 200_000_000L;
    /** Measures the processor time of the thread, so that other load on the machine does not count. */
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final List<TcpStream> streams = new ArrayList<>();
    private final List<SocketChannel> channels = new ArrayList<>();

    private SelectCost(int sockets) throws IOException {
        InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        Network network = Network.system();
        try (TcpListener listener = network.listen(anyPort, 1024)) {
            for (int i = 0; i < sockets / 2; i++) {
                TcpStream client = network.connect(listener.localAddress());
                Select.select(List.of(listener), List.of(), List.of(), null);
                TcpStream accepted = listener.accept();
                if (accepted == null) {
                    throw new IOException("no connection arrived");
                }
                streams.add(client);
                streams.add(accepted);
            }
        }
        streams.get(sockets / 2).write(ByteBuffer.wrap("x".getBytes(StandardCharsets.US_ASCII)));
        try (ServerSocketChannel listener = ServerSocketChannel.open().bind(anyPort, 1024)) {
            for (int i = 0; i < sockets / 2; i++) {
                SocketChannel client = SocketChannel.open(listener.getLocalAddress());
                SocketChannel accepted = listener.accept();
                channels.add(client);
                channels.add(accepted);
            }
        }
        channels.get(sockets / 2).write(ByteBuffer.wrap("x".getBytes(StandardCharsets.US_ASCII)));
        for (SocketChannel channel : channels) {
            channel.configureBlocking(false);
        }
    }

    /** Arguments: the number of sockets. */
    static void main(String[] args) throws IOException {
        SelectCost cost = new SelectCost(args.length > 0 ? Integer.parseInt(args[0]) : 1000);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(cost.measure(line.strip()));
            System.out.flush();
        }
    }

    private long measure(String method) throws IOException {
        long calls = 0;
        long start = THREADS.getCurrentThreadCpuTime();
        long now = start;
        while (now - start < MEASURE_NANOS) {
            int ready = switch (method) {
                case "selector" -> selectWithNewSelector();
                case "static" -> readable(Select.select(streams, List.of(), List.of(), null));
                default -> readable(Select.on(Network.named(method)).select(streams, List.of(), List.of(), null));
            };
            if (ready != 1) {
                throw new IOException(method + " found " + ready + " ready instead of 1");
            }
            calls++;
            now = THREADS.getCurrentThreadCpuTime();
        }
        return (now - start) / calls;
    }

    private static int readable(Ready<TcpStream> ready) {
        return ready.readable().size();
    }

    /** Answers one question without Trivet, by opening a selector for it. */
    private int selectWithNewSelector() throws IOException {
        try (Selector selector = Selector.open()) {
            for (SocketChannel channel : channels) {
                channel.register(selector, SelectionKey.OP_READ);
            }
            return selector.select();
        }
    }
}
