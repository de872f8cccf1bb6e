package io.trivet.app;

import io.trivet.nats.Relay;
import io.trivet.net.Addresses;
import io.trivet.net.UnixAddress;
import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Handler;
import io.trivet.server.SendResult;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Answers messages as {@code --reply} says, and logs events for {@code -v}. Runs on the server's loops. */
final class ReplyHandler implements Handler {
    private static final System.Logger LOGGER = System.getLogger("io.trivet.app");
    private static final int TLS_HANDSHAKE = 22;
    private static final int TLS_MAJOR_VERSION = 3;
    private static final int TLS_CLIENT_HELLO = 1;

    private final ServerSettings settings;
    private final VerboseLog log;
    private final AtomicInteger leftAtClose = new AtomicInteger();
    private final AtomicBoolean reportedTls = new AtomicBoolean();
    private volatile @Nullable Relayed relayed;

    /** A relay, and the topic that all clients have joined. */
    record Relayed(Relay relay, String topic) {}

    ReplyHandler(ServerSettings settings, VerboseLog log) {
        this.settings = settings;
        this.log = log;
    }

    /** Returns the number of clients that were still connected when the server closed. They may have lost replies. */
    int leftAtClose() {
        return leftAtClose.get();
    }

    /** Broadcasts go to a relay from now on. */
    void relay(Relayed relay) {
        relayed = relay;
    }

    @Override
    public void onOpen(Connection connection) {
        Relayed now = relayed;
        if (now != null) {
            now.relay.join(connection, now.topic);
        }
        if (log.isEnabled()) {
            log.connected(name(connection));
        }
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer message) {
        if (log.isEnabled()) {
            log.received(name(connection), message.duplicate());
        }
        if (settings.tls() == null && beginsLikeTls(message) && reportedTls.compareAndSet(false, true)) {
            LOGGER.log(Level.WARNING,
                    name(connection) + " has begun a TLS handshake, and this server has no TLS: either the client must "
                            + "not use it, or the server needs --tls-cert and --tls-key (reported once)");
        }
        switch (settings.reply()) {
            case ECHO -> reply(connection, message);
            case ADDRESS -> reply(connection, withAddress(message, connection));
            case BROADCAST -> broadcast(connection, message);
            case DISCARD -> {
                // No reply.
            }
        }
    }

    /** Returns true if a message begins like the first record of a TLS client: RFC 8446, section 5.1. A line may end within it. */
    private static boolean beginsLikeTls(ByteBuffer message) {
        int from = message.position();
        int length = message.remaining();
        return length >= 3 && message.get(from) == TLS_HANDSHAKE && message.get(from + 1) == TLS_MAJOR_VERSION
                && (length <= 5 || message.get(from + 5) == TLS_CLIENT_HELLO);
    }

    private void broadcast(Connection connection, ByteBuffer message) {
        Relayed now = relayed;
        if (now == null) {
            connection.server().broadcast(message);
        } else if (now.relay.publish(now.topic, message) != SendResult.QUEUED) {
            connection.reset(); // its message reaches no one: the relay is behind, or draining
        }
    }

    private void reply(Connection connection, ByteBuffer reply) {
        if (log.isEnabled()) {
            ByteBuffer logged = reply.duplicate();
            connection.send(reply);
            log.replied(name(connection), logged);
        } else {
            connection.send(reply);
        }
    }

    private static ByteBuffer withAddress(ByteBuffer message, Connection connection) {
        byte[] address = PythonAddress.of(connection.remoteAddress()).getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(message.remaining() + address.length).put(message).put(address).flip();
    }

    @Override
    public void onUrgent(Connection connection, byte b) {
        if (log.isEnabled()) {
            log.receivedUrgent(name(connection), b & 0xff);
        }
    }

    @Override
    public void onDropped(Connection connection, int messages, long bytes) {
        if (log.isEnabled()) {
            log.dropped(name(connection), messages, bytes);
        }
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        Relayed now = relayed;
        if (now != null) {
            now.relay.forget(connection);
        }
        if (reason == CloseReason.SERVER_CLOSED) {
            leftAtClose.incrementAndGet();
        }
        if (log.isEnabled()) {
            log.closed(name(connection), describe(connection, reason));
        }
    }

    private static String name(Connection connection) {
        InetSocketAddress address = connection.remoteAddress();
        String text = Addresses.toString(address);
        return UnixAddress.isUnix(address) ? text + "#" + Long.toHexString(connection.id()) : text; // most have no address
    }

    /** Describes the reason, with the option that controls it. */
    private String describe(Connection connection, CloseReason reason) {
        return switch (reason) {
            case PEER_FINISHED -> "the client closed its side";
            case SERVER_CLOSED -> "cut off when the server closed (--drain-timeout)";
            case QUEUE_FULL -> "its send queue is full (--queue-limit)";
            case BUDGET_EXCEEDED -> "it held the most when the buffers of all clients together were full (--queue-budget)";
            case MESSAGE_TOO_LONG -> "its message is longer than " + SizeText.of(settings.limits().messageBytesMax())
                    + " (--message-limit)";
            case IDLE_TIMEOUT -> "idle for " + DurationText.of(settings.limits().idleTimeout()) + " (--idle-timeout)";
            case WRITE_TIMEOUT ->
                "it accepted no data for " + DurationText.of(settings.limits().writeTimeout()) + " (--write-timeout)";
            case MESSAGE_TIMEOUT -> "a message took longer than " + DurationText.of(settings.limits().messageTimeout())
                    + " (--message-timeout)";
            case HANDSHAKE_FAILED, PROTOCOL_ERROR -> {
                IOException failure = connection.failure();
                yield reason.description()
                        + (failure == null ? "" : ": " + EscapedText.line(String.valueOf(failure.getMessage())));
            }
            case FINISHED, CLOSED, DRAINED, RESET, FAILED, CONNECT_FAILED, CONNECT_TIMEOUT, FIRST_MESSAGE_TIMEOUT,
                    HANDLER_FAILED,
                    TOO_MANY_FROM_ADDRESS, ADDRESS_DENIED, TRANSFER_FAILED, SPINNING, HANDSHAKE_TIMEOUT, TRUNCATED ->
                reason.description();
        };
    }
}
