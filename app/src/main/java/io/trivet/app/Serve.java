package io.trivet.app;

import io.trivet.net.Addresses;
import io.trivet.net.Capability;
import io.trivet.net.EngineStatus;
import io.trivet.net.Network;
import io.trivet.net.Supervisor;
import io.trivet.net.UnixAddress;
import io.trivet.server.Handover;
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
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

// @formatter:off: an attribute a line, an option a paragraph
/** {@code trivet serve}: options, start-up lines and exit. The server itself is {@link ReplyServer}. */
@Command(name = "serve", mixinStandardHelpOptions = true, versionProvider = Version.class,
        showDefaultValues = true, sortOptions = false, description = {
    "Serves many clients, by TCP or Unix domain sockets, each with a bounded message queue of its own.",
    "Ctrl-C and SIGTERM drain the server: it answers what has arrived, sends what is queued, and exits with 0.",
    "SIGHUP reads the files of --tls-cert, --tls-key and --tls-client-ca again. Without --tls-cert, it drains the server, too."})
@SuppressWarnings("NullAway.Init") // picocli fills the fields
final class Serve implements Callable<Integer> {
    /** How much longer a reply can be than its message: an IPv6 address with scope, and a newline. */
    private static final int REPLY_BYTES_EXTRA_MAX = 128;

    private static final long QUEUE_BYTES_MAX = 1 << 30;

    @Spec
    private CommandSpec spec;

    @Option(names = {"-H", "--host"}, paramLabel = "HOST", defaultValue = "127.0.0.1",
            description = "Address or name to listen on; 0.0.0.0 means every interface, :: also those of IPv6. May be repeated. Of a name, "
                    + "every address is taken. Beside an IPv4 address, :: means IPv6 only. unix:PATH listens at a Unix domain socket, unix:@NAME at an "
                    + "abstract one of Linux.")
    private List<String> hosts;

    @Option(names = {"-p", "--port"}, paramLabel = "PORT", defaultValue = "8080",
            description = "Port to listen on; with 0 the kernel chooses one, the same for every address.")
    private int port;

    @Option(names = {"-r", "--reply"}, paramLabel = "REPLY", defaultValue = "echo", converter = ReplyOption.Converter.class,
            description = "How to answer a message: echo (with the message), address (with the message followed by the client's address as "
                    + "Python prints it), discard (not at all), broadcast (with the message, to every client).")
    private ReplyOption reply;

    @Option(names = {"-f", "--framing"}, paramLabel = "FRAMING", defaultValue = "raw", converter = FramingOption.Converter.class,
            description = "What a message is: raw (the bytes of one read) or lines (up to a newline).")
    private FramingOption framing;

    @Option(names = {"-e", "--engine"}, paramLabel = "ENGINE", defaultValue = "auto", converter = EngineOption.Converter.class,
            description = "auto, uring, epoll, poll, select or nio; 'trivet engines' shows which are available here.")
    private EngineOption engine;

    @Option(names = {"-n", "--loops"}, paramLabel = "N", defaultValue = "1",
            description = "Number of event loops, each on a thread of its own.")
    private int loops;

    @Option(names = {"-b", "--backlog"}, paramLabel = "N", defaultValue = "4096",
            description = "Maximum number of clients that wait to be accepted (see listen(2)).")
    private int backlog;

    @Option(names = {"-t", "--timeout"}, paramLabel = "TIME", defaultValue = "3s", converter = DurationText.class,
            description = "The longest that an idle loop waits in one turn. Applies to a single loop; several wait without a limit.")
    private Duration timeout;

    @Option(names = {"-m", "--max-connections"}, paramLabel = "N", showDefaultValue = Visibility.NEVER,
            description = "Maximum number of connected clients; more wait in the backlog (default: as many as the descriptor limit, ulimit -n, allows).")
    private @Nullable Integer maxConnections;

    @Option(names = {"-a", "--per-address"}, paramLabel = "N", defaultValue = "0",
            description = "Maximum number of connected clients from one IP address; 0: no limit.")
    private int perAddress;

    @Option(names = {"-q", "--queue-limit"}, paramLabel = "SIZE", defaultValue = "1MiB", converter = SizeText.class,
            description = "Maximum size of one client's send queue.")
    private long queueLimit;

    @Option(names = {"-Q", "--queue-budget"}, paramLabel = "SIZE", converter = SizeText.class, showDefaultValue = Visibility.NEVER,
            description = "Maximum size of the buffers of all clients together (default: a quarter of the heap or of direct memory). "
                    + "Beyond it, those that hold the most are disconnected.")
    private @Nullable Long queueBudget;

    @Option(names = {"-o", "--overflow"}, paramLabel = "POLICY", converter = OverflowOption.Converter.class,
            showDefaultValue = Visibility.NEVER,
            description = "What happens to a client that reads too slowly: pause (stop reading from it), drop-oldest (drop its oldest unsent "
                    + "messages; needs --framing lines) or disconnect (default: pause; with --reply broadcast, disconnect).")
    private @Nullable OverflowOption overflow;

    @Option(names = {"-l", "--message-limit"}, paramLabel = "SIZE", defaultValue = "64KiB", converter = SizeText.class,
            description = "Maximum size of a message; a client that sends a longer line is disconnected.")
    private long messageLimit;

    @Option(names = {"-i", "--idle-timeout"}, paramLabel = "TIME", defaultValue = "5m", converter = DurationText.class,
            description = "How long a client may neither send nor receive before it is disconnected; 0: no limit.")
    private Duration idleTimeout;

    @Option(names = {"-M", "--message-timeout"}, paramLabel = "TIME", defaultValue = "10s", converter = DurationText.class,
            description = "How long a line may take from its first byte to its last; 0: no limit.")
    private Duration messageTimeout;

    @Option(names = {"-w", "--write-timeout"}, paramLabel = "TIME", defaultValue = "10s", converter = DurationText.class,
            description = "How long a client may accept none of the data queued for it before it is disconnected; 0: no limit.")
    private Duration writeTimeout;

    @Option(names = {"-u", "--urgent"},
            description = "Watch for urgent data (the third list) and show it with -v. Without this, the kernel drops urgent bytes.")
    private boolean urgent;

    @Option(names = {"-d", "--drain-timeout"}, paramLabel = "TIME", defaultValue = "10s", converter = DurationText.class,
            description = "How long a stopping server waits for clients to receive what is queued for them.")
    private Duration drainTimeout;

    @Option(names = {"-F", "--ready-file"}, paramLabel = "FILE", converter = PathText.class,
            description = "File to write when the server is ready: host:port, with the port in use, or unix:PATH, a line for each address. A regular file "
                    + "appears whole. A symbolic link is followed. A FIFO or a device is written, and never replaced. With --handover, the server that is "
                    + "replaced alone accepts until the file is written, which needs a reader if it is a FIFO.")
    private @Nullable Path readyFile;

    @Mixin
    private ServeTls tls = new ServeTls();

    @Mixin
    private ServeAccess access = new ServeAccess();

    @Mixin
    private ServeSocketFile socketFile = new ServeSocketFile();

    @Mixin
    private ServeHandover handover = new ServeHandover();

    @Mixin
    private ServeView view = new ServeView();

    @Mixin
    private ServeRelay relay = new ServeRelay();

    @Option(names = {"-v", "--verbose"},
            description = "Log each turn of the loop, client, message and reply to standard error.")
    private boolean verbose;
    // @formatter:on

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintStream err = System.err;
        ServerSettings settings = settings();
        err.println(Version.program() + ", Java " + Runtime.version().feature());
        Network network = engine.open();
        Supervisor supervisor = Supervisor.ofProcess();
        try (Handover taken = handover.open(network, err); ReplyServer server = open(network, supervisor, taken, settings, err)) {
            printStart(server, settings, err);
            if (settings.tls() != null) {
                tls.start(settings.tls(), err);
            }
            for (InetSocketAddress address : server.addresses()) {
                err.println("listening on " + Addresses.toString(address));
            }
            relay.showIn(view);
            try (ServeView.Running live = view.start(server.server(), describeEngine(server.network()),
                    taken != null && taken.isTaken(), err);
                    ServeRelay.Running relayed = relay.start(server, messageLimit, spec.commandLine(), err);
                    GracefulExit _ = GracefulExit.install(server, drainTimeout,
                            () -> stopping(server, supervisor, network, live, relayed, err),
                            err)) {
                if (readyFile != null) { // first: if that fails, the server that is replaced must continue
                    ReadyFile.write(readyFile, server.addresses(), taken != null && taken.isTaken(), err);
                }
                handover.complete(server, drainTimeout, () -> leaveRelay(relayed, err), supervisor, network, err);
                err.println("ready");
                notify(supervisor, network, "READY=1", err);
                server.run();
            }
        }
        return 0;
    }

    /**
     * Listens with the sockets of the server that this one replaces; otherwise with those that a service manager has opened; otherwise at
     * the addresses of the options.
     */
    private ReplyServer open(Network network, Supervisor supervisor, @Nullable Handover taken, ServerSettings settings,
            PrintStream err) throws IOException {
        Network named = engine == EngineOption.AUTO ? null : network;
        VerboseLog log = new VerboseLog(err, verbose);
        if (taken != null && taken.isTaken()) {
            warnWithoutEffect("the server that is replaced has opened the sockets (--handover)", err);
            return ReplyServer.successor(named, taken, settings, log);
        }
        int passed = supervisor.passedSockets();
        if (passed == 0) {
            warnWithoutUnixHost(err);
            try {
                return ReplyServer.listen(named, ListenAddresses.of(network, hosts, port, err), settings, log);
            } catch (UnsupportedOperationException e) { // of the engine: an abstract name, or the mode of a file
                throw new IOException("--engine " + network.name() + ": " + e.getMessage(), e);
            }
        }
        if (!network.supports(Capability.DESCRIPTORS)) {
            throw new IOException("LISTEN_FDS: " + network.name() + " cannot use sockets that were passed: use another --engine");
        }
        warnWithoutEffect("the service manager has opened the sockets (LISTEN_FDS)", err);
        for (int i = 0; i < passed; i++) {
            err.println("passed by the service manager: " + EscapedText.line(supervisor.name(i)));
        }
        return ReplyServer.passed(named, supervisor.listeners(network), settings, log);
    }

    private void warnWithoutEffect(String reason, PrintStream err) {
        warnWithoutEffect(List.of("--host", "--port", "--backlog", "--socket-mode", "--socket-owner"), reason, err);
    }

    private void warnWithoutEffect(List<String> options, String reason, PrintStream err) {
        for (String option : options) {
            if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
                err.println("warning: " + option + " has no effect: " + reason);
            }
        }
    }

    private void warnWithoutUnixHost(PrintStream err) {
        if (hosts.stream().noneMatch(UnixAddress::isUnix)) {
            warnWithoutEffect(List.of("--socket-mode", "--socket-owner"), "no --host is a Unix domain socket, unix:PATH", err);
        }
    }

    private void stopping(ReplyServer server, Supervisor supervisor, Network network, ServeView.Running live,
            ServeRelay.Running relayed,
            PrintStream err) {
        live.close(); // a loop that stands still cannot drain
        leaveRelay(relayed, err);
        server.startDrain(drainTimeout); // before the handover ends: without it, a new process could find the listeners in use
        if (!handover.stop(err)) { // otherwise the service continues, in another process
            notify(supervisor, network, "STOPPING=1", err);
        }
    }

    /** Leaves the other servers, for at most half of the drain timeout. The rest is for the clients of this one. */
    private void leaveRelay(ServeRelay.Running relayed, PrintStream err) {
        relayed.drain(drainTimeout.dividedBy(2), err);
    }

    static void notify(Supervisor supervisor, Network network, String state, PrintStream err) {
        try {
            supervisor.report(network, state);
        } catch (IOException | UnsupportedOperationException e) {
            err.println("warning: the service manager could not be notified of " + state + ": " + e.getMessage());
        }
    }

    private void printStart(ReplyServer server, ServerSettings settings, PrintStream err) {
        Network network = server.network();
        err.println("engine " + describeEngine(network));
        if (!network.supports(Capability.URGENT_DATA)) {
            err.println("urgent data is not watched: " + network.name() + " does not support it");
        }
        err.println(describe(settings, server.budgetBytes()));
        int descriptors = DescriptorLimit.current();
        int clients = settings.limits().connectionsMax();
        if (DescriptorLimit.needed(clients) > descriptors) {
            err.println("warning: " + clients + " clients need more than this process's " + descriptors
                    + " descriptors: raise the limit with ulimit -n " + DescriptorLimit.needed(clients));
        }
    }

    private String describeEngine(Network network) {
        return network.name()
                + (engine == EngineOption.AUTO ? ", chosen automatically" + whyNotBetter(network) : ", as requested");
    }

    /** Returns why a better native engine is not available, or "". The library itself logs a fallback to java.nio. */
    private static String whyNotBetter(Network network) {
        if (network.supports(Capability.DESCRIPTORS)) {
            for (EngineStatus status : Network.engines()) {
                if (status.name().equals(network.name())) {
                    break;
                }
                if (!status.available()) {
                    return "; " + status.remark();
                }
            }
        }
        return "";
    }

    private ServerSettings settings() throws IOException {
        view.check(spec.commandLine());
        relay.check(spec.commandLine(), reply, messageLimit);
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
        require(overflow != OverflowOption.DROP_OLDEST || framing == FramingOption.LINES, "--overflow",
                "pause or disconnect with --framing raw, where a client could not know which bytes are missing");
        require(!urgent || !tls.isRequested(), "--urgent", "absent with --tls-cert: TLS has no urgent data");
        OverflowOption policy = overflow != null ? overflow
                : reply == ReplyOption.BROADCAST ? OverflowOption.DISCONNECT : OverflowOption.PAUSE;
        // One more reply must fit above the high mark. Otherwise a client to be paused would reach the cap and be disconnected.
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
        return new ServerSettings(reply, framing, timeout, policy, limits, loops, backlog, urgent,
                tls.settings(spec.commandLine()), access.list(), access.proxies(),
                socketFile.file());
    }

    private void require(boolean condition, String option, String rule) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), option + " must be " + rule);
        }
    }

    private static String describe(ServerSettings settings, long budgetBytes) {
        Limits limits = settings.limits();
        return "limits: " + limits.connectionsMax() + " clients, " + SizeText.of(limits.messageBytesMax()) + " per message, "
                + SizeText.of(limits.queueBytesMax()) + " per queue, " + SizeText.of(budgetBytes)
                + " for all queues; overflow " + settings.overflow() + "; timeouts: message " + orNone(limits.messageTimeout())
                + ", idle " + orNone(limits.idleTimeout()) + ", write " + orNone(limits.writeTimeout());
    }

    private static String orNone(Duration timeout) {
        return timeout.isZero() ? "none" : DurationText.of(timeout);
    }
}
