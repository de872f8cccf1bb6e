package io.trivet.app;

import io.trivet.net.Addresses;
import io.trivet.net.Capability;
import io.trivet.net.EngineStatus;
import io.trivet.net.Network;
import io.trivet.server.Limits;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

// @formatter:off: an attribute a line, an option a paragraph
/** {@code trivet serve}: its options, its start-up lines, its end. The server itself is {@link ReplyServer}. */
@Command(name = "serve", mixinStandardHelpOptions = true, versionProvider = Version.class,
        showDefaultValues = true, sortOptions = false, description = {
    "Serves many TCP clients, with one bounded message queue each.",
    "Ctrl-C and SIGTERM drain it: it answers what has arrived, sends what waits, and exits with 0."})
@SuppressWarnings("NullAway.Init") // picocli fills the fields
final class Serve implements Callable<Integer> {
    /** By how much a reply can be longer than its message: an IPv6 address with everything, and a newline. */
    private static final int REPLY_BYTES_EXTRA_MAX = 128;

    private static final long QUEUE_BYTES_MAX = 1 << 30;

    @Spec
    private CommandSpec spec;

    @Option(names = {"-H", "--host"}, paramLabel = "HOST", defaultValue = "127.0.0.1",
            description = "Address or name to listen on; 0.0.0.0 or :: is everywhere.")
    private String host;

    @Option(names = {"-p", "--port"}, paramLabel = "PORT", defaultValue = "8080",
            description = "Port to listen on; 0: the kernel chooses one.")
    private int port;

    @Option(names = {"-r", "--reply"}, paramLabel = "REPLY", defaultValue = "echo", converter = Reply.Converter.class,
            description = "What a message is answered with: echo, address (the message, and the client's address behind it as "
                    + "Python prints it), discard (nothing), broadcast (the message, to every client).")
    private Reply reply;

    @Option(names = {"-f", "--framing"}, paramLabel = "FRAMING", defaultValue = "raw", converter = Framing.Converter.class,
            description = "Where a message ends: raw (what one read gives is a message) or lines.")
    private Framing framing;

    @Option(names = {"-e", "--engine"}, paramLabel = "ENGINE", defaultValue = "auto", converter = Engine.Converter.class,
            description = "auto, uring, epoll, poll, select or nio; 'trivet engines' tells which work here.")
    private Engine engine;

    @Option(names = {"-n", "--loops"}, paramLabel = "N", defaultValue = "1",
            description = "How many loops, each on a thread of its own.")
    private int loops;

    @Option(names = {"-b", "--backlog"}, paramLabel = "N", defaultValue = "4096",
            description = "How many clients may wait to be accepted.")
    private int backlog;

    @Option(names = {"-t", "--timeout"}, paramLabel = "TIME", defaultValue = "3s", converter = DurationText.class,
            description = "The longest that an idle loop waits before it goes round again; of one loop, several wait as long as it takes.")
    private Duration timeout;

    @Option(names = {"-m", "--max-connections"}, paramLabel = "N", showDefaultValue = Visibility.NEVER,
            description = "How many clients at a time; others wait (default: what the limit of descriptors, ulimit -n, allows).")
    private @Nullable Integer maxConnections;

    @Option(names = {"-a", "--per-address"}, paramLabel = "N", defaultValue = "0",
            description = "How many clients from one IP address; 0: no limit.")
    private int perAddress;

    @Option(names = {"-q", "--queue-limit"}, paramLabel = "SIZE", defaultValue = "1MiB", converter = SizeText.class,
            description = "What may wait for one client.")
    private long queueLimit;

    @Option(names = {"-Q", "--queue-budget"}, paramLabel = "SIZE", converter = SizeText.class, showDefaultValue = Visibility.NEVER,
            description = "What may wait for all clients together (default: a quarter of the heap, at least 64MiB).")
    private @Nullable Long queueBudget;

    @Option(names = {"-o", "--overflow"}, paramLabel = "POLICY", converter = Overflow.Converter.class,
            showDefaultValue = Visibility.NEVER,
            description = "What happens to a client that reads too slowly: pause (nothing more is read from it), drop-oldest "
                    + "(messages; needs --framing lines) or disconnect (default: pause; with --reply broadcast disconnect).")
    private @Nullable Overflow overflow;

    @Option(names = {"-l", "--message-limit"}, paramLabel = "SIZE", defaultValue = "64KiB", converter = SizeText.class,
            description = "The longest message; a client that sends a longer line is disconnected.")
    private long messageLimit;

    @Option(names = {"-i", "--idle-timeout"}, paramLabel = "TIME", defaultValue = "5m", converter = DurationText.class,
            description = "When to disconnect a client with which nothing happens; 0: never.")
    private Duration idleTimeout;

    @Option(names = {"-M", "--message-timeout"}, paramLabel = "TIME", defaultValue = "10s", converter = DurationText.class,
            description = "How long a line may take from its first byte to its last; 0: as long as it likes.")
    private Duration messageTimeout;

    @Option(names = {"-w", "--write-timeout"}, paramLabel = "TIME", defaultValue = "10s", converter = DurationText.class,
            description = "When to disconnect a client that takes nothing of what waits for it; 0: never.")
    private Duration writeTimeout;

    @Option(names = {"-u", "--urgent"},
            description = "Watch the third list, for urgent data, and show it with -v. Without it, urgent bytes are dropped.")
    private boolean urgent;

    @Option(names = {"-d", "--drain-timeout"}, paramLabel = "TIME", defaultValue = "10s", converter = DurationText.class,
            description = "How long clients may take what waits for them when the server ends.")
    private Duration drainTimeout;

    @Option(names = {"-F", "--ready-file"}, paramLabel = "FILE",
            description = "File to write when the server is ready: host:port, the real port.")
    private @Nullable Path readyFile;

    @Option(names = {"-v", "--verbose"},
            description = "Tell of each round, client, message and reply, on standard error.")
    private boolean verbose;
    // @formatter:on

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintStream err = System.err;
        ServerSettings settings = settings();
        err.println(Version.program() + ", Java " + Runtime.version().feature());
        Network network = engine.open();
        err.println("engine " + network.name()
                + (engine == Engine.AUTO ? ", the best one here" + better(network) : ", as asked for"));
        if (!network.supports(Capability.URGENT_DATA)) {
            err.println("the third list is not watched: " + network.name() + " cannot see urgent data");
        }
        err.println(limits(settings));
        int descriptors = DescriptorLimit.current();
        int clients = settings.limits().connectionsMax();
        if (DescriptorLimit.needed(clients) > descriptors) {
            err.println("warning: " + clients + " clients need more than the " + descriptors
                    + " descriptors of this process: ulimit -n " + DescriptorLimit.needed(clients));
        }
        InetSocketAddress asked = new InetSocketAddress(HostPort.resolve(host)[0], port);
        try (ReplyServer server = ReplyServer.listen(network, asked, settings, new Journal(err, verbose))) {
            InetSocketAddress address = server.address();
            err.println("listening on " + Addresses.toString(address));
            try (GracefulExit _ = GracefulExit.drains(server, drainTimeout, err)) {
                if (readyFile != null) {
                    ReadyFile.write(readyFile, List.of(address));
                }
                err.println("ready");
                server.run();
            }
        }
        return 0;
    }

    /** Why not the ring, where that is the only difference: the others are told by the library, or not asked for. */
    private static String better(Network network) {
        if (network.supports(Capability.DESCRIPTORS)) {
            for (EngineStatus status : Network.engines()) {
                if (status.name().equals(network.name())) {
                    break;
                }
                if (!status.available()) {
                    return ": " + status.remark();
                }
            }
        }
        return "";
    }

    private ServerSettings settings() {
        require(port >= 0 && port <= 65535, "--port", "a port from 0 to 65535, not " + port);
        require(backlog >= 1, "--backlog", "at least 1, not " + backlog);
        require(!timeout.isZero(), "--timeout", "longer than 0");
        require(maxConnections == null || maxConnections >= 1, "--max-connections", "at least 1, not " + maxConnections);
        require(messageLimit >= 1 && messageLimit <= 1 << 30, "--message-limit", "from 1 byte to 1GiB");
        require(queueLimit >= messageLimit + REPLY_BYTES_EXTRA_MAX, "--queue-limit",
                "at least " + REPLY_BYTES_EXTRA_MAX + " bytes more than --message-limit, "
                        + SizeText.of(messageLimit) + ", so that a reply fits");
        require(queueLimit <= QUEUE_BYTES_MAX, "--queue-limit", "at most " + SizeText.of(QUEUE_BYTES_MAX));
        require(loops >= 1 && loops <= 127, "--loops", "from 1 to 127, not " + loops);
        require(perAddress >= 0, "--per-address", "0 or more, not " + perAddress);
        require(queueBudget == null || queueBudget >= queueLimit, "--queue-budget", "at least --queue-limit, "
                + SizeText.of(queueLimit));
        require(overflow != Overflow.DROP_OLDEST || framing == Framing.LINES, "--overflow",
                "pause or disconnect with --framing raw, where nobody could tell which bytes are missing");
        Overflow policy = overflow != null ? overflow : reply == Reply.BROADCAST ? Overflow.DISCONNECT : Overflow.PAUSE;
        // Below the high mark one more reply must fit: else a client that should be held back would be lost.
        int high = Math.clamp(queueLimit - messageLimit - REPLY_BYTES_EXTRA_MAX, 1, Limits.defaults().queueHighBytes());
        Limits limits = Limits.defaults()
                .withConnectionsMax(maxConnections != null ? maxConnections : DescriptorLimit.forConnections())
                .withConnectionsPerAddressMax(perAddress)
                .withQueueBytesMax((int) queueLimit)
                .withQueueMarks(high, Math.min(Limits.defaults().queueLowBytes(), high / 2))
                .withMessageBytesMax((int) messageLimit)
                .withMessageTimeout(messageTimeout)
                .withIdleTimeout(idleTimeout)
                .withWriteTimeout(writeTimeout);
        if (queueBudget != null) {
            limits = limits.withQueueBudgetBytes(queueBudget);
        }
        return new ServerSettings(reply, framing, timeout, policy, limits, loops, backlog, urgent);
    }

    private void require(boolean condition, String option, String rule) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), option + " must be " + rule);
        }
    }

    private static String limits(ServerSettings settings) {
        Limits limits = settings.limits();
        return "limits " + limits.connectionsMax() + " clients, " + SizeText.of(limits.messageBytesMax()) + " a message, "
                + SizeText.of(limits.queueBytesMax()) + " a queue, " + SizeText.of(limits.queueBudgetBytes())
                + " all queues, then "
                + settings.overflow() + "; message " + orNever(limits.messageTimeout()) + ", idle "
                + orNever(limits.idleTimeout())
                + ", write " + orNever(limits.writeTimeout());
    }

    private static String orNever(Duration timeout) {
        return timeout.isZero() ? "never" : DurationText.of(timeout);
    }
}
