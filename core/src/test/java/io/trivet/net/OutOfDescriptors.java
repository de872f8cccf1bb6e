package io.trivet.net;

import io.trivet.contract.Slowness;
import io.trivet.select.NetworkSelect;
import io.trivet.select.Select;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A program that uses up its descriptors and prints what happens. The argument is a network's name. */
final class OutOfDescriptors {
    private static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
    private static final Duration PATIENCE = Slowness.scaled(Duration.ofSeconds(10));

    private final Network network;
    private final List<String> lines = new ArrayList<>();

    private OutOfDescriptors(Network network) {
        this.network = network;
    }

    public static void main(String[] arguments) throws Exception {
        loadClasses();
        Thread.startVirtualThread(() -> {}).join();
        Network network = Network.named(arguments[0]);
        new OutOfDescriptors(network).run(3); // loads the classes while there are descriptors
        OutOfDescriptors real = new OutOfDescriptors(network);
        real.run(Integer.MAX_VALUE);
        real.lines.forEach(System.out::println);
    }

    private void run(int descriptors) throws IOException {
        try (TcpListener listener = network.listen(FREE_PORT, 8);
                TcpStream client = network.connect(listener.localAddress());
                Poller poller = network.poller()) {
            readable(listener);
            try (TcpStream server = listener.accept();
                    TcpStream waiting = network.connect(listener.localAddress())) {
                readable(listener);
                List<AutoCloseable> hoard = hoard(descriptors);
                report("accept", listener::accept);
                report("connect", () -> network.connect(listener.localAddress()));
                report("udp", () -> network.udp(FREE_PORT));
                report("pipe", network::pipe);
                reportPoller();
                reportWaits("waits", Thread.ofPlatform().daemon(), client, server);
                if (descriptors == Integer.MAX_VALUE) { // the descriptors for such waits are opened once, and there are none left
                    reportWaits("virtual waits", Thread.ofVirtual(), client, server);
                }
                lines.add("listener: " + (ready(listener) ? "r--" : "---"));

                poller.register(server, Interest.READ, 1);
                client.write(ByteBuffer.wrap(new byte[]{'!'}));
                int events = poller.poll(new ReadyEvents(1), PATIENCE.toNanos());
                lines.add("old connection: " + (events == 1 && server.read(ByteBuffer.allocate(2)) == 1 ? "alive" : "dead"));
                poller.deregister(server);

                close(hoard);
                try (TcpStream accepted = listener.accept()) {
                    lines.add("accept again: " + (accepted != null && waiting.finishConnect() ? "connected" : "none"));
                }
            }
        }
    }

    private interface Opening {
        @Nullable
        AutoCloseable open() throws IOException;
    }

    /** Opens as many sockets as possible. Descriptors that an engine needs for a single call must be open before. */
    private List<AutoCloseable> hoard(int most) throws IOException {
        List<AutoCloseable> hoard = new ArrayList<>();
        try {
            while (hoard.size() < most) {
                hoard.add(network.udp(FREE_PORT));
            }
        } catch (NetworkException e) {
            if (e.code() != ErrorCode.EMFILE) {
                throw e;
            }
        }
        return hoard;
    }

    private void report(String call, Opening opening) throws IOException {
        try (AutoCloseable opened = opening.open()) {
            lines.add(call + ": " + opened);
        } catch (NetworkException e) {
            lines.add(call + ": " + e.code());
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    private void reportPoller() throws IOException {
        try (Poller another = network.poller()) {
            another.wakeup();
            lines.add("poller: refused or not needed");
        } catch (NetworkException e) {
            lines.add("poller: " + (e.code() == ErrorCode.EMFILE ? "refused or not needed" : e.code().toString()));
        }
    }

    /** Many threads wait, though no descriptor is left for any of them. Half are interrupted, then the others become ready. */
    private void reportWaits(String name, Thread.Builder builder, TcpStream client, TcpStream server) throws IOException {
        NetworkSelect select = Select.on(network);
        List<Thread> threads = new ArrayList<>();
        List<CompletableFuture<String>> results = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            CompletableFuture<String> result = new CompletableFuture<>();
            results.add(result);
            threads.add(builder.start(() -> {
                try {
                    List<TcpStream> one = List.of(server);
                    result.complete(select.select(one, List.of(), List.of(), PATIENCE).readable().equals(one) ? "ready" : "late");
                } catch (InterruptedIOException e) {
                    result.complete("interrupted");
                } catch (NetworkException e) {
                    result.complete(e.code().toString());
                } catch (Throwable t) {
                    result.complete(t.toString());
                }
            }));
        }
        Map<String, Integer> counts = new TreeMap<>();
        for (int i = 0; i < 10; i++) {
            threads.get(i).interrupt();
            counts.merge(results.get(i).join(), 1, Integer::sum);
        }
        client.write(ByteBuffer.wrap(new byte[]{'!'}));
        for (int i = 10; i < 20; i++) {
            counts.merge(results.get(i).join(), 1, Integer::sum);
        }
        while (server.read(ByteBuffer.allocate(2)) == 0) {
            Thread.onSpinWait();
        }
        lines.add(name + ": " + counts);
    }

    private void readable(TcpListener listener) throws IOException {
        List<TcpListener> one = List.of(listener);
        if (Select.on(network).select(one, List.of(), List.of(), PATIENCE).isEmpty()) {
            throw new IOException("no connection arrived");
        }
    }

    /** poll(2) needs no descriptor for a call without a wait. Other engines may fail, and then throw. */
    private boolean ready(TcpListener listener) throws IOException {
        List<TcpListener> one = List.of(listener);
        try {
            return !Select.on(network.forOneCall()).select(one, List.of(), List.of(), Duration.ZERO).isEmpty();
        } catch (NetworkException e) {
            return e.code() == ErrorCode.EMFILE && listener.isOpen();
        }
    }

    private static void close(List<AutoCloseable> hoard) throws IOException {
        for (AutoCloseable one : hoard) {
            try {
                one.close();
            } catch (Exception e) {
                throw new IOException(e);
            }
        }
    }

    /** Loading a class opens a file, which needs a descriptor. */
    private static void loadClasses() throws IOException, ReflectiveOperationException {
        Path classes = Path.of(Network.class.getProtectionDomain().getCodeSource().getLocation().getPath());
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(file -> file.toString().endsWith(".class")).toList()) {
                String name = classes.relativize(file).toString().replace(".class", "").replace('/', '.');
                if (!name.contains("-info")) {
                    Class.forName(name, false, Network.class.getClassLoader());
                }
            }
        }
    }
}
