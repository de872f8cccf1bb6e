package io.trivet.nats;

import io.nats.client.Options;
import io.nats.client.support.NatsUri;
import java.net.URISyntaxException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * NATS, through its Java client. Each link is one connection of the client, without its reconnects: the relay must know which
 * subscriptions are in force, and nothing may wait in a buffer that the relay cannot see.
 */
final class NatsBus implements Bus {
    /** A dead connection is noticed after two unanswered pings. */
    private static final Duration PING_INTERVAL = Duration.ofSeconds(1);
    private static final int PINGS_OUT_MAX = 2;
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

    private final RelayOptions options;
    private final FixedDelayTimer timer = new FixedDelayTimer();

    /**
     * Creates a bus.
     *
     * @throws IllegalArgumentException the options name no server, or change the client in a way that it refuses
     */
    NatsBus(RelayOptions options) {
        this.options = options;
        if (options.servers().isEmpty()) {
            throw new IllegalArgumentException("the options name no NATS server");
        }
        try {
            builder().build();
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new IllegalArgumentException(withoutSecrets(e.getMessage()));
        }
    }

    private Options.Builder builder() {
        Options.Builder builder = new Options.Builder()
                .servers(options.servers().toArray(String[]::new))
                .connectionName("trivet")
                .connectionTimeout(CONNECT_TIMEOUT)
                .pingInterval(PING_INTERVAL)
                .maxPingsOut(PINGS_OUT_MAX)
                .scheduledExecutor(timer)
                .maxMessagesInOutgoingQueue(0); // unlimited: the link's window is the limit
        return options.nats().apply(builder).noReconnect().noEcho();
    }

    @Override
    public Link connect(Events events) {
        NatsLink link = new NatsLink(events, options);
        link.start(builder().connectionListener(link).errorListener(link).build());
        return link;
    }

    /** Returns why a connection has ended, for a log, from what the client says. */
    static String reason(@Nullable String text) {
        if (text == null || text.isEmpty()) {
            return "the connection has ended";
        }
        return text.contains("SSL connection wanted by client") ? "the NATS server has no TLS: use nats:// instead of tls://"
                : withoutSecrets(text);
    }

    /**
     * Checks the URL of a server.
     *
     * @throws IllegalArgumentException the URL is wrong; the message contains it, without secrets
     */
    static void checkUrl(String url) {
        for (String each : url.split(",", -1)) { // as the client does
            try {
                NatsUri _ = new NatsUri(each.trim());
            } catch (URISyntaxException e) {
                throw new IllegalArgumentException(
                        "a server must be nats://HOST:PORT or tls://HOST:PORT, not " + withoutSecrets(each));
            }
        }
    }

    /** Removes users, passwords and tokens from a text that may contain URLs, also without their scheme. */
    static String withoutSecrets(@Nullable String text) {
        return text == null ? "" : text.replaceAll("(\\w+://)?[^\\s,\\[\\]]*@", "$1");
    }
}
