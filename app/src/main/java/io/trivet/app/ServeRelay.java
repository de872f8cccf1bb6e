package io.trivet.app;

import io.trivet.nats.BusState;
import io.trivet.nats.History;
import io.trivet.nats.Relay;
import io.trivet.nats.RelayListener;
import io.trivet.nats.RelayOptions;
import io.trivet.server.Server;
import io.trivet.view.Panel;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

// @formatter:off: an attribute a line, an option a paragraph
/** The options of {@code trivet serve} by which servers on several machines are one. */
final class ServeRelay {
    @Option(names = "--relay", paramLabel = "URL", showDefaultValue = Visibility.NEVER,
            description = "Share the messages of --reply broadcast with other servers over NATS, at nats://HOST:PORT, or tls://HOST:PORT. May be "
                    + "repeated for a cluster. If NATS is away, the clients of this server go on among themselves.")
    private List<String> urls = new ArrayList<>();

    @Option(names = "--topic", paramLabel = "NAME", showDefaultValue = Visibility.NEVER,
            description = "Servers with the same topic are one chat (default: chat).")
    private @Nullable String topic;

    @Option(names = "--relay-history", paramLabel = "STREAM", showDefaultValue = Visibility.NEVER,
            description = "Fill gaps from this stream of NATS JetStream. If there is none of that name, it is created in memory, for a minute "
                    + "and 64 MiB.")
    private @Nullable String stream;
    // @formatter:on

    private static final String TOPIC = "chat";
    private static final long MESSAGE_BYTES_MAX = RelayOptions.of().messageBytesMax();

    /** What the view shows. The view may be asked before there is a relay. */
    private volatile Supplier<Panel> panel = () -> RelayPanel.STARTING;

    /** Adds a panel about the relay to the view, if a relay was asked for. */
    void showIn(ServeView view) {
        if (!urls.isEmpty()) {
            view.panel(RelayPanel.NAME, RelayPanel.TITLE, () -> panel.get());
        }
    }

    /** Checks that the options belong together. */
    void check(CommandLine command, ReplyOption reply, long messageBytesMax) {
        if (topic != null && urls.isEmpty()) {
            throw new ParameterException(command, "--topic needs --relay");
        }
        if (!urls.isEmpty() && reply != ReplyOption.BROADCAST) {
            throw new ParameterException(command, "--relay needs --reply broadcast");
        }
        if (!urls.isEmpty() && messageBytesMax > MESSAGE_BYTES_MAX) {
            throw new ParameterException(command,
                    "--message-limit must be at most " + SizeText.of(MESSAGE_BYTES_MAX) + " with --relay");
        }
        if (stream != null && urls.isEmpty()) {
            throw new ParameterException(command, "--relay-history needs --relay");
        }
        if (topic != null && topic.isEmpty()) {
            throw new ParameterException(command, "--topic must not be empty");
        }
    }

    /** A relay that was asked for, or not. */
    static final class Running implements AutoCloseable {
        private final @Nullable Relay relay;

        private Running(@Nullable Relay relay) {
            this.relay = relay;
        }

        /** Sends what was accepted to the other servers, and leaves them. */
        void drain(Duration timeout, PrintStream err) {
            if (relay != null) {
                relay.drain(timeout);
                try {
                    if (!relay.awaitClosed(timeout.plusSeconds(1))) {
                        err.println("warning: relay: it has not ended in time");
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        @Override
        public void close() {
            if (relay != null) {
                relay.close();
            }
        }
    }

    /** Connects the server with others. The handler has the relay before this returns. */
    Running start(ReplyServer replyServer, long messageBytesMax, CommandLine command, PrintStream err) {
        if (urls.isEmpty()) {
            return new Running(null);
        }
        Server server = replyServer.server();
        String name = topic == null ? TOPIC : topic;
        RelayOptions options = RelayOptions.of(urls.toArray(String[]::new));
        options = options.withLimits(options.inboundBytesMax(), (int) messageBytesMax, options.topicsMax());
        Relay relay;
        try {
            options = options.withHistory(stream == null ? null : History.of(stream));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command, "--relay-history: " + e.getMessage());
        }
        try {
            relay = Relay.connect(server, options, new Report(err));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command, "--relay: " + EscapedText.line(String.valueOf(e.getMessage())));
        }
        RelayOptions settings = options;
        panel = () -> RelayPanel.of(relay.id(), settings, relay.stats());
        replyServer.relay(relay, name);
        err.println("relay: topic " + EscapedText.line(name) + ", server " + relay.id());
        return new Running(relay);
    }

    /** Reports what the relay tells, in few lines. */
    private static final class Report implements RelayListener {
        private static final long INTERVAL_NANOS = Duration.ofSeconds(10).toNanos();

        private final PrintStream err;
        private @Nullable BusState reported;
        private long missed;
        private long dropped;
        private long reportedNanos = System.nanoTime() - INTERVAL_NANOS;

        Report(PrintStream err) {
            this.err = err;
        }

        @Override
        public void onBus(BusState state, String reason) {
            switch (state) {
                case UP -> {
                    err.println("relay: connected");
                    reported = state;
                }
                case AWAY -> {
                    if (reported != state) {
                        err.println("relay: NATS cannot be reached, trying again; only the clients of this server are served: "
                                + EscapedText.line(reason));
                        reported = state;
                    }
                }
                case CONNECTING, CLOSED -> {
                    // Nothing to report.
                }
            }
        }

        @Override
        public void onServer(String server, ServerChange change) {
            err.println("relay: server " + server + switch (change) {
                case APPEARED -> " has appeared";
                case LEFT -> " has left";
                case LOST -> " is not heard any more; what it had not sent is lost";
            });
        }

        @Override
        public void onHistory(String problem) {
            err.println("relay: gaps cannot be filled: " + EscapedText.line(problem));
        }

        @Override
        public void onGap(String topic, String from, long count) {
            missed += count;
            report();
        }

        @Override
        public void onDropped(long messages, long bytes) {
            dropped += messages;
            report();
        }

        /** Reports losses at once, but not more often than the interval. */
        private void report() {
            long now = System.nanoTime();
            if (now - reportedNanos >= INTERVAL_NANOS) {
                reportedNanos = now;
                err.println("relay: lost so far: " + missed + " messages of other servers, " + dropped + " of this one");
            }
        }
    }
}
