package io.trivet.app;

import io.trivet.nats.History;
import io.trivet.nats.Relay;
import io.trivet.nats.RelayOptions;
import io.trivet.server.Server;
import io.trivet.view.Panel;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
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
                    + "repeated for a cluster. While NATS is unreachable, messages for other servers wait, within limits.")
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
        if (!urls.isEmpty()) {
            RelayOptions _ = options(command, messageBytesMax);
        }
    }

    private RelayOptions options(CommandLine command, long messageBytesMax) {
        for (String url : urls) {
            try {
                RelayOptions _ = RelayOptions.of(url);
            } catch (IllegalArgumentException e) {
                throw new ParameterException(command,
                        "--relay must be nats://HOST:PORT or tls://HOST:PORT, not " + RelayLog.withoutSecrets(url));
            }
        }
        try {
            RelayOptions options = RelayOptions.of(urls.toArray(String[]::new))
                    .withHistory(stream == null ? null : History.of(stream));
            return options.withLimits(options.inboundBytesMax(), (int) messageBytesMax, options.topicsMax());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command, "--relay-history: " + e.getMessage());
        }
    }

    /** The relay, if {@code --relay} was given. */
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
                        err.println("warning: the relay has not ended in time");
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
        RelayOptions options = options(command, messageBytesMax);
        Relay relay;
        try {
            relay = Relay.connect(server, options,
                    new RelayLog(options, (delay, task) -> later(server, delay, task), System::nanoTime,
                            line -> print(err, line)));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command, "--relay: " + EscapedText.line(String.valueOf(e.getMessage())));
        }
        panel = () -> RelayPanel.of(relay.id(), options, relay.stats());
        replyServer.relay(relay, name);
        print(err, "topic " + EscapedText.line(name) + ", server " + relay.id());
        return new Running(relay);
    }

    private static void later(Server server, Duration delay, Runnable task) {
        try {
            server.schedule(delay, task);
        } catch (RejectedExecutionException e) {
            // The server has ended: nothing is left to report.
        }
    }

    /** Prints a line with its time, like those of the library's log, so that an outage can be dated. */
    private static void print(PrintStream err, String line) {
        err.println(Instant.now().truncatedTo(ChronoUnit.MILLIS) + " relay: " + line);
    }
}
