package io.trivet.app;

import io.trivet.net.Network;
import io.trivet.net.PeerCredentials;
import io.trivet.net.Supervisor;
import io.trivet.net.UnixAddress;
import io.trivet.server.Handover;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

// @formatter:off: an attribute a line, an option a paragraph
/** The options of {@code trivet serve} by which another process replaces this one. */
final class ServeHandover {
    @Option(names = "--handover", paramLabel = "PATH", converter = PathConverter.class,
            description = "Replace the server that was started with the same PATH, without a refused or reset connection: take over its "
                    + "listening sockets, which are used instead of --host and --port. Then serve PATH, a Unix domain socket, for the next one. "
                    + "Needs an engine of Linux.")
    private @Nullable UnixAddress address;

    @Option(names = "--handover-grace", paramLabel = "TIME", defaultValue = "30s", converter = DurationText.class,
            description = "How long a server that was replaced serves its remaining clients, before it drains.")
    private Duration grace = Duration.ofSeconds(30);
    // @formatter:on

    private @Nullable Handover handover;

    /** Takes over from another server, if there is one. The result, null without the option, is closed by the caller. */
    @Nullable
    Handover open(Network network, PrintStream err) throws IOException {
        if (address == null) {
            return null;
        }
        Handover opened;
        try {
            opened = Handover.open(network, address);
        } catch (UnsupportedOperationException e) {
            throw new IOException("--handover: " + e.getMessage(), e);
        }
        handover = opened;
        if (opened.isTaken()) {
            err.println("taking over the listening sockets of the server at " + address);
        } else {
            err.println("no server at " + address + ": starting without taking over");
        }
        return opened;
    }

    /** Notifies the other server that this one has started, and serves the address for the next one. */
    void complete(ReplyServer server, Duration drainTimeout, Runnable beforeDrain, Supervisor supervisor, Network network,
            PrintStream err)
            throws IOException {
        Handover opened = handover;
        if (opened != null) {
            opened.beforeDrain(beforeDrain);
            server.complete(opened, grace, drainTimeout, successor -> handedOver(successor, supervisor, network, err));
        }
    }

    private void handedOver(PeerCredentials successor, Supervisor supervisor, Network network, PrintStream err) {
        err.println("handed over to the process " + successor.pid() + "; remaining clients are served for at most "
                + DurationText.of(grace));
        if (successor.pid() > 0) {
            Serve.notify(supervisor, network, "MAINPID=" + successor.pid(), err);
        }
    }

    /** Stops serving the address. Returns whether another server has taken over. */
    boolean stop(PrintStream err) {
        Handover opened = handover;
        if (opened == null) {
            return false;
        }
        try {
            opened.close();
        } catch (IOException e) {
            err.println("warning: --handover: " + e.getMessage());
        }
        return opened.isHandedOver();
    }

    /** Converts a path. */
    static final class PathConverter implements ITypeConverter<UnixAddress> {
        @Override
        public UnixAddress convert(String text) {
            try {
                return UnixAddress.isUnix(text) ? UnixAddress.parse(text) : UnixAddress.ofPath(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(EscapedText.of(String.valueOf(e.getMessage())));
            }
        }
    }
}
