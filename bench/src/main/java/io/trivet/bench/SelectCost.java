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
 * What one {@code Select.select} costs on a set of connected sockets of which one is ready, by engine; and the same question put to a fresh
 * java.nio Selector.
 *
 * <p>For each line on standard input (the name of an engine, or {@code selector}) it measures for a fifth of a second and prints
 * nanoseconds of processor time per call. {@code select-cost} runs it beside the same in C and Python, in turns.
 */
public final class SelectCost {
    private static final long MEASURE_NANOS = 200_000_000L;
    /** Processor time of the thread: what others on the machine do does not count. */
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
                    throw new IOException("no connection came");
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

    /** Args: the number of sockets. */
    static void main(String[] args) throws IOException {
        SelectCost cost = new SelectCost(args.length > 0 ? Integer.parseInt(args[0]) : 1000);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(cost.measure(line.strip()));
            System.out.flush();
        }
    }

    private long measure(String way) throws IOException {
        long calls = 0;
        long begun = THREADS.getCurrentThreadCpuTime();
        long now = begun;
        while (now - begun < MEASURE_NANOS) {
            int ready = switch (way) {
                case "selector" -> bySelector();
                case "static" -> readable(Select.select(streams, List.of(), List.of(), null));
                default -> readable(Select.on(Network.named(way)).select(streams, List.of(), List.of(), null));
            };
            if (ready != 1) {
                throw new IOException(way + " found " + ready + " ready instead of 1");
            }
            calls++;
            now = THREADS.getCurrentThreadCpuTime();
        }
        return (now - begun) / calls;
    }

    private static int readable(Ready<TcpStream> ready) {
        return ready.readable().size();
    }

    /** What there is without Trivet, for one question: a selector that is opened for it. */
    private int bySelector() throws IOException {
        try (Selector selector = Selector.open()) {
            for (SocketChannel channel : channels) {
                channel.register(selector, SelectionKey.OP_READ);
            }
            return selector.select();
        }
    }
}
