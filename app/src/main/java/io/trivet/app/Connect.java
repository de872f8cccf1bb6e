package io.trivet.app;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

// @formatter:off: an attribute a line, an option a paragraph
/** {@code trivet connect}. */
@Command(name = "connect", mixinStandardHelpOptions = true, versionProvider = Version.class,
        showDefaultValues = true, sortOptions = false, description = {
    "Connects to a server, by TCP or a Unix domain socket, and exchanges data with it, on one connection or several.",
    "With --send: sends each message on every connection, and the next one when each connection has received as many bytes as the "
            + "message has. Succeeds when each connection has received as many bytes as it sent, or --expect; fails after --wait.",
    "Without --send: sends what you type, line by line, or what is piped in. When the input ends, half-closes the connections and "
            + "reads until the server closes its side.",
    "Prints received data to standard output: unchanged from a single connection, otherwise as a line per connection, escaped."})
@SuppressWarnings("NullAway.Init") // picocli fills the fields
final class Connect implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "HOST:PORT|unix:PATH", converter = HostPort.Converter.class,
            description = "The server: localhost:8080, [::1]:8080, unix:/run/app.sock, unix:@NAME (an abstract name of Linux). If the name has several addresses, the next is tried "
                    + "when one fails or has not answered for 250 ms; the first that answers is used.")
    private HostPort target;

    @Option(names = {"-c", "--connections"}, paramLabel = "N", defaultValue = "1",
            description = "Number of connections.")
    private int connections;

    @Option(names = {"-s", "--send"}, paramLabel = "TEXT",
            description = "A message, sent as it is: end it with a newline if the server expects lines. May be repeated.")
    private @Nullable List<String> send;

    @Option(names = {"-a", "--append-index"},
            description = "Append the index of each message to it: 0, 1, ...")
    private boolean appendIndex;

    @Option(names = {"-x", "--expect"}, paramLabel = "BYTES", converter = SizeText.class, showDefaultValue = Visibility.NEVER,
            description = "How many bytes each connection must receive (default: as many as it sends).")
    private @Nullable Long expect;

    @Option(names = {"-w", "--wait"}, paramLabel = "TIME", defaultValue = "10s", converter = DurationText.class,
            description = "With --send: the longest total time, including the lookup of the name and the connect. Without: how long "
                    + "these two may take, and how long the server may be silent after the input has ended.")
    private Duration wait;

    @Option(names = {"-f", "--from"}, paramLabel = "ADDRESS[:PORT]", converter = LocalAddress.class, showDefaultValue = Visibility.NEVER,
            description = "The local address of the connections, and the local port (default: any): 192.0.2.1, [2001:db8::1]:5000. It must be "
                    + "one of this machine, and IPv4 if the server's is.")
    private @Nullable InetSocketAddress from;

    @Mixin
    private ConnectTls tls = new ConnectTls();
    // @formatter:on

    @Override
    public Integer call() throws IOException {
        if (connections < 1) {
            throw new ParameterException(spec.commandLine(), "--connections must be at least 1, not " + connections);
        }
        if (send == null && (appendIndex || expect != null)) {
            throw new ParameterException(spec.commandLine(), "--append-index and --expect require --send");
        }
        if (tls.needsServerName() && target.isUnix()) {
            throw new ParameterException(spec.commandLine(), "--tls with " + target + " requires --tls-server-name");
        }
        if (from != null && target.isUnix()) {
            throw new ParameterException(spec.commandLine(), "--from is for TCP, and " + target + " is a Unix domain socket");
        }
        if (from != null && from.getPort() != 0 && connections > 1) {
            throw new ParameterException(spec.commandLine(),
                    "--from with a port permits one connection, not --connections " + connections + ": omit the port");
        }
        if (send == null && StandardStreams.isInputClosed()) {
            throw new IOException("standard input is closed: give it one, for instance </dev/null, or use --send");
        }
        PrintStream err = System.err;
        try (Client client = new Client(target, wait, tls.settings(spec.commandLine(), wait), from)) {
            for (int i = 0; i < connections; i++) {
                ClientConnection connection = client.connect();
                err.println(connection.name + ": connected to " + connection.serverAddress());
            }
            ReceivedOutput output = new ReceivedOutput(client, StandardStreams.output(), System.out.charset(), connections == 1);
            if (send == null) {
                return new InputSession(client, wait, output, err).run() ? 0 : 1;
            }
            new SendSession(client, expect == null ? -1 : expect, output, err).run(messages(send));
            return 0;
        }
    }

    private List<String> messages(List<String> texts) {
        List<String> messages = new ArrayList<>();
        for (String text : texts) {
            messages.add(appendIndex ? text + messages.size() : text);
        }
        return messages;
    }
}
