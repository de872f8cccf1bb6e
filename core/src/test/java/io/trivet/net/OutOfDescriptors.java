package io.trivet.net;

import io.trivet.select.Select;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A process of its own that uses up its descriptors, and prints what happens; the argument is a network's name. */
final class OutOfDescriptors {
    private static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Network network;
    private final List<String> told = new ArrayList<>();

    private OutOfDescriptors(Network network) {
        this.network = network;
    }

    public static void main(String[] arguments) throws Exception {
        loadClasses();
        Network network = Network.named(arguments[0]);
        new OutOfDescriptors(network).run(3); // what a JVM loads on the way, it must load while it still can
        OutOfDescriptors real = new OutOfDescriptors(network);
        real.run(Integer.MAX_VALUE);
        real.told.forEach(System.out::println);
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
                tell("accept", listener::accept);
                tell("connect", () -> network.connect(listener.localAddress()));
                tell("udp", () -> network.udp(FREE_PORT));
                tell("pipe", network::pipe);
                tellPoller();
                told.add("listener: " + (ready(listener) ? "r--" : "---"));

                poller.register(server, Interest.READ, 1);
                client.write(ByteBuffer.wrap(new byte[]{'!'}));
                int events = poller.poll(new ReadyEvents(1), PATIENCE.toNanos());
                told.add("old connection: " + (events == 1 && server.read(ByteBuffer.allocate(2)) == 1 ? "alive" : "dead"));
                poller.deregister(server);

                close(hoard);
                try (TcpStream accepted = listener.accept()) {
                    told.add("accept again: " + (accepted != null && waiting.finishConnect() ? "connected" : "nobody"));
                }
            }
        }
    }

    private interface Opening {
        @Nullable
        AutoCloseable open() throws IOException;
    }

    /** Opens all that can be opened; what an engine needs for its own question must be there before. */
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

    private void tell(String call, Opening opening) throws IOException {
        try (AutoCloseable opened = opening.open()) {
            told.add(call + ": " + opened);
        } catch (NetworkException e) {
            told.add(call + ": " + e.code());
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    private void tellPoller() throws IOException {
        try (Poller another = network.poller()) {
            another.wakeup();
            told.add("poller: refused or not needed");
        } catch (NetworkException e) {
            told.add("poller: " + (e.code() == ErrorCode.EMFILE ? "refused or not needed" : e.code().toString()));
        }
    }

    private void readable(TcpListener listener) throws IOException {
        List<TcpListener> one = List.of(listener);
        if (Select.on(network).select(one, List.of(), List.of(), PATIENCE).isEmpty()) {
            throw new IOException("nobody came");
        }
    }

    /** poll(2) needs no descriptor for a question without a wait; others may be refused, and then say so. */
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

    /** A class is read from a file, which needs a descriptor. */
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
