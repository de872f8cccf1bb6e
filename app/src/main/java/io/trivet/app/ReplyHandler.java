package io.trivet.app;

import io.trivet.net.Addresses;
import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Handler;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/** Answers messages as {@code --reply} says, and tells the journal. Threads: the server's loops. */
final class ReplyHandler implements Handler {
    private final ServerSettings settings;
    private final Journal journal;
    private final AtomicInteger cutOff = new AtomicInteger();

    ReplyHandler(ServerSettings settings, Journal journal) {
        this.settings = settings;
        this.journal = journal;
    }

    /** How many clients the end of the server's patience has cut off. */
    int cutOff() {
        return cutOff.get();
    }

    @Override
    public void onOpen(Connection connection) {
        if (journal.isVerbose()) {
            journal.connected(name(connection));
        }
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer message) {
        if (journal.isVerbose()) {
            journal.data(name(connection), message.duplicate());
        }
        switch (settings.reply()) {
            case ECHO -> reply(connection, message);
            case ADDRESS -> reply(connection, withAddress(message, connection));
            case BROADCAST -> connection.server().broadcast(message);
            case DISCARD -> {
                // That is all.
            }
        }
    }

    private void reply(Connection connection, ByteBuffer reply) {
        ByteBuffer told = reply.duplicate();
        connection.send(reply);
        if (journal.isVerbose()) {
            journal.reply(name(connection), told);
        }
    }

    private static ByteBuffer withAddress(ByteBuffer message, Connection connection) {
        byte[] address = PythonAddress.of(connection.remoteAddress()).getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(message.remaining() + address.length).put(message).put(address).flip();
    }

    @Override
    public void onUrgent(Connection connection, byte b) {
        if (journal.isVerbose()) {
            journal.urgent(name(connection), b & 0xff);
        }
    }

    @Override
    public void onDropped(Connection connection, int messages, long bytes) {
        if (journal.isVerbose()) {
            journal.dropped(name(connection), messages, bytes);
        }
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        if (reason == CloseReason.SERVER_CLOSED) {
            cutOff.incrementAndGet();
        }
        if (journal.isVerbose()) {
            journal.gone(name(connection), inWords(reason));
        }
    }

    private static String name(Connection connection) {
        return Addresses.toString(connection.remoteAddress());
    }

    /** The reason, and the option that it goes back to. */
    private String inWords(CloseReason reason) {
        return switch (reason) {
            case PEER_FINISHED -> "it finished";
            case SERVER_CLOSED -> "cut off";
            case QUEUE_FULL -> "its queue is full (--queue-limit)";
            case BUDGET_EXCEEDED -> "all queues together are full (--queue-budget)";
            case MESSAGE_TOO_LONG -> "its message is longer than " + SizeText.of(settings.limits().messageBytesMax())
                    + " (--message-limit)";
            case IDLE_TIMEOUT -> "idle for " + DurationText.of(settings.limits().idleTimeout()) + " (--idle-timeout)";
            case WRITE_TIMEOUT ->
                "it took nothing for " + DurationText.of(settings.limits().writeTimeout()) + " (--write-timeout)";
            case MESSAGE_TIMEOUT -> "a message took longer than " + DurationText.of(settings.limits().messageTimeout())
                    + " (--message-timeout)";
            case FINISHED, CLOSED, DRAINED, RESET, FAILED, CONNECT_FAILED, CONNECT_TIMEOUT, FIRST_MESSAGE_TIMEOUT, HANDLER_FAILED,
                    TOO_MANY_FROM_ADDRESS, SPINNING ->
                reason.sentence();
        };
    }
}
