package io.trivet.app;

import io.trivet.net.Addresses;
import io.trivet.server.Server;
import io.trivet.view.Panel;
import io.trivet.view.View;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

// @formatter:off: an attribute a line, an option a paragraph
/** The options of {@code trivet serve} about the live view. */
final class ServeView {
    /** How long the process that hands over its clients may keep the address of its view. */
    private static final Duration TAKE_OVER_MAX = Duration.ofSeconds(30);
    private static final Duration TAKE_OVER_PAUSE = Duration.ofMillis(200);

    @Option(names = "--view", paramLabel = "[HOST:]PORT", converter = Converter.class,
            description = "Serve a live view for a browser at this address, of the loopback interface without HOST; port 0: a free one. Its whole "
                    + "address, with a random token, is printed at the start. /metrics and /api/state are for programs.")
    private @Nullable InetSocketAddress address;

    @Option(names = "--view-control",
            description = "Allow readers of the view to pause the loop, to turn it step by step, and to close clients.")
    private boolean control;

    @Option(names = "--view-token-file", paramLabel = "FILE", converter = PathText.class,
            description = "File with the view's token, so that its address stays the same. If there is none, it is created, readable by this user "
                    + "alone.")
    private @Nullable Path tokenFile;
    // @formatter:on

    private final Duration takeOverMax;
    private final List<Consumer<View.Builder>> panels = new ArrayList<>();

    ServeView() {
        this(TAKE_OVER_MAX);
    }

    /** For tests, which wait less for a port to be released. */
    ServeView(Duration takeOverMax) {
        this.takeOverMax = takeOverMax;
    }

    boolean isRequested() {
        return address != null;
    }

    /** Adds a panel. Called before {@link #start}. */
    void panel(String name, Panel.Text title, Supplier<Panel> source) {
        panels.add(builder -> builder.panel(name, title, source));
    }

    /** Checks that the options belong together. */
    void check(CommandLine command) {
        if (address == null && (control || tokenFile != null)) {
            throw new ParameterException(command, (control ? "--view-control" : "--view-token-file") + " needs --view");
        }
    }

    /** A view that was asked for, or not. */
    static final class Running implements AutoCloseable {
        private @Nullable View view;
        private boolean closed;

        private synchronized void run(View started) {
            if (closed) {
                started.close();
            } else {
                view = started;
            }
        }

        @Override
        public synchronized void close() {
            closed = true;
            View running = view;
            if (running != null) {
                ViewToken.delete(running.address().getPort());
                running.close();
            }
        }
    }

    /**
     * Starts the view, if it was asked for, and prints its address.
     *
     * @param isTakenOver true if another process, which will end soon, may still have a view at the address
     */
    Running start(Server server, String engine, boolean isTakenOver, PrintStream err) throws IOException {
        Running running = new Running();
        InetSocketAddress listen = address;
        if (listen == null) {
            return running;
        }
        View.Builder builder = View.of(server).listen(listen).allowControl(control).engine(engine);
        panels.forEach(panel -> panel.accept(builder));
        if (tokenFile != null) {
            useTokenOf(tokenFile, builder);
        }
        try {
            start(builder, running, err);
        } catch (IOException e) {
            IOException failure = new IOException("--view " + Addresses.toString(listen) + ": " + e.getMessage(), e);
            if (!isTakenOver) {
                throw failure;
            }
            Thread.ofVirtual().start(() -> startLater(builder, running, failure, err));
        }
        return running;
    }

    private void startLater(View.Builder builder, Running running, IOException failure, PrintStream err) {
        for (long end = System.nanoTime() + takeOverMax.toNanos(); System.nanoTime() - end < 0;) {
            try {
                Thread.sleep(TAKE_OVER_PAUSE);
                start(builder, running, err);
                return;
            } catch (IOException e) {
                // The other process still has it.
            } catch (InterruptedException e) {
                return;
            }
        }
        err.println("warning: there is no view: " + failure.getMessage());
    }

    private static void start(View.Builder builder, Running running, PrintStream err) throws IOException {
        View view = builder.start();
        running.run(view);
        if (!view.address().getAddress().isLoopbackAddress()) {
            err.println("warning: the view at " + Addresses.toString(view.address())
                    + " is in plaintext: everybody on the network between can read its token. Use a loopback address, and ssh -L");
        }
        ViewToken.write(view.address().getPort(), view.token());
        err.println("view " + view.url());
    }

    private static void useTokenOf(Path file, View.Builder builder) throws IOException {
        try {
            builder.token(Files.readString(file, StandardCharsets.UTF_8).strip());
        } catch (NoSuchFileException e) {
            byte[] random = new byte[24];
            new java.security.SecureRandom().nextBytes(random);
            String token = java.util.Base64.getUrlEncoder().withoutPadding().encodeToString(random);
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(file, token + "\n", StandardCharsets.UTF_8);
            builder.token(token);
        } catch (IllegalArgumentException e) {
            throw new IOException("--view-token-file " + EscapedText.of(file.toString()) + ": " + e.getMessage(), e);
        }
    }

    /** Converts {@code 9090}, {@code localhost:9090} or {@code [::1]:9090}. */
    static final class Converter implements ITypeConverter<InetSocketAddress> {
        @Override
        public InetSocketAddress convert(String text) throws Exception {
            int colon = text.lastIndexOf(':');
            String port = text.substring(colon + 1);
            if (port.isEmpty() || port.length() > 5 || !port.chars().allMatch(c -> c >= '0' && c <= '9')
                    || Integer.parseInt(port) > 65535) {
                throw invalid(text);
            }
            if (colon < 0) {
                return new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), Integer.parseInt(port));
            }
            String host = text.substring(0, colon);
            boolean bracketed = host.startsWith("[") && host.endsWith("]");
            if (host.isEmpty() || (!bracketed && host.indexOf(':') >= 0)) {
                throw invalid(text);
            }
            return new InetSocketAddress(HostPort.resolve(bracketed ? host.substring(1, host.length() - 1) : host)[0],
                    Integer.parseInt(port));
        }

        private static TypeConversionException invalid(String text) {
            return new TypeConversionException(
                    "'" + EscapedText.of(text)
                            + "' is not [HOST:]PORT: write 9090, localhost:9090 or [::1]:9090, the port up to 65535");
        }
    }
}
