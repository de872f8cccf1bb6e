package io.trivet.app;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

// @formatter:off: an attribute a line, an option a paragraph
/** {@code trivet connect}. */
@Command(name = "connect", mixinStandardHelpOptions = true, versionProvider = Version.class,
        showDefaultValues = true, sortOptions = false, description = {
    "Talks to a TCP server, on one connection or on many at once.",
    "With --send: says each message on every connection; the next follows when each got as many bytes back. "
            + "Done when each got as many as it sent in all (or --expect); else it fails after --wait.",
    "Without --send: what you type goes out line by line, or what comes through a pipe; at its end the connection is "
            + "half-closed, and what still comes is read.",
    "What came goes to standard output: from one connection as it is, from several a line each, escaped."})
@SuppressWarnings("NullAway.Init") // picocli fills the fields
final class Connect implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "HOST:PORT", converter = HostPort.Converter.class,
            description = "The server: localhost:8080, [::1]:8080. Each address of the name is tried in turn.")
    private HostPort target;

    @Option(names = {"-c", "--connections"}, paramLabel = "N", defaultValue = "1",
            description = "How many connections.")
    private int connections;

    @Option(names = {"-s", "--send"}, paramLabel = "TEXT",
            description = "A message, sent as it is: for a server of lines end it by a newline. May be repeated.")
    private @Nullable List<String> send;

    @Option(names = {"-a", "--append-index"},
            description = "Put the index of each message behind it: 0, 1, ...")
    private boolean appendIndex;

    @Option(names = {"-x", "--expect"}, paramLabel = "BYTES", converter = SizeText.class, showDefaultValue = Visibility.NEVER,
            description = "How many bytes each connection should get (default: as many as it sends).")
    private @Nullable Long expect;

    @Option(names = {"-w", "--wait"}, paramLabel = "TIME", defaultValue = "10s", converter = DurationText.class,
            description = "How long to wait: with --send for all of it; without, for silent servers once the input has ended.")
    private Duration wait;
    // @formatter:on

    @Override
    public Integer call() throws IOException {
        if (connections < 1) {
            throw new ParameterException(spec.commandLine(), "--connections must be at least 1, not " + connections);
        }
        if (send == null && (appendIndex || expect != null)) {
            throw new ParameterException(spec.commandLine(), "--append-index and --expect belong to --send");
        }
        PrintStream err = System.err;
        try (Client client = new Client(target, wait)) {
            for (int i = 0; i < connections; i++) {
                ClientConnection connection = client.dial();
                err.println(connection.name + ": connected to " + connection.server());
            }
            Received received = new Received(System.out, connections == 1);
            if (send == null) {
                return new Dialogue(client, wait, received, err).hold() ? 0 : 1;
            }
            new Conversation(client, expect == null ? -1 : expect, received, err).hold(messages(send));
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
