package io.trivet.server;

import io.trivet.net.Proactor;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * The headers of the PROXY protocol, before a connection opens: receives those of trusted proxies, and sends those of outgoing
 * connections. Meanwhile the connection is CONNECTING. A header that is incomplete, or sent in part, is in the connection's cold
 * state: up to 4 KiB that do not count in the budget, for a few seconds. Loop thread.
 */
final class ProxyHeaders {
    /** How long a proxy may take for its header. The specification recommends at least 3 s, so that a lost packet is sent again. */
    static final Duration TIMEOUT = Duration.ofSeconds(5);
    /** Result of {@link #received} if the connection does not open now. */
    static final int NOT_OPEN = -1;

    private static final ByteBuffer NOTHING_YET = ByteBuffer.allocate(0);
    private static final int PARTIAL_BYTES_MIN = 128;

    private final Proactor proactor;
    private final ConnectionDeadlines deadlines;
    private final ConnectionSource source;
    private final Counters counters;
    private final CloseRequests closeRequests;
    private final Log log;
    private final ByteBuffer[] one = new ByteBuffer[1];

    ProxyHeaders(Proactor proactor, ConnectionDeadlines deadlines, ConnectionSource source, Counters counters,
            CloseRequests closeRequests, Log log) {
        this.proactor = proactor;
        this.deadlines = deadlines;
        this.source = source;
        this.counters = counters;
        this.closeRequests = closeRequests;
        this.log = log;
    }

    // ---- receiving

    /** Starts to receive the header of an accepted connection. */
    void await(ConnectionRecord connection) {
        connection.state(ConnectionState.CONNECTING);
        connection.proxyHeader(NOTHING_YET);
        deadlines.stateEndsIn(connection, TIMEOUT);
        connection.set(ConnectionRecord.RECEIVING);
        try {
            proactor.receive(connection.handle);
        } catch (IOException e) {
            closeRequests.fail(connection, e);
        }
    }

    /**
     * Takes bytes of a header. If it is complete, the connection has the address of its client, and is to be opened.
     *
     * @return the index of the first byte after the header; {@link #NOT_OPEN}: it is incomplete, or the connection was closed
     */
    int received(ConnectionRecord connection, ByteBuffer memory, int from, int to) {
        ByteBuffer before = connection.proxyHeader();
        if (before == null || !connection.is(ConnectionRecord.ACCEPTED)) {
            return NOT_OPEN;
        }
        try {
            ByteBuffer bytes = before.position() == 0 ? memory : append(before, memory, from, to);
            int start = before.position() == 0 ? from : 0;
            int end = before.position() == 0 ? to : bytes.position();
            int length = ProxyHeaderDecoder.length(bytes, start, end);
            if (length == ProxyHeaderDecoder.INCOMPLETE) {
                connection.proxyHeader(before.position() == 0 ? append(before, memory, from, to) : bytes);
                return NOT_OPEN;
            }
            ProxyHeader header = ProxyHeaderDecoder.decode(bytes, start, length);
            return identify(connection, header) ? from + length - before.position() : NOT_OPEN;
        } catch (ProtocolException e) {
            fail(connection, e);
            return NOT_OPEN;
        }
    }

    /** Returns a buffer with the bytes before and the next ones, as many as a header may have. */
    private static ByteBuffer append(ByteBuffer before, ByteBuffer memory, int from, int to) {
        int count = Math.min(to - from, ProxyHeaderDecoder.BYTES_MAX - before.position());
        int needed = before.position() + count;
        ByteBuffer all = ByteBuffer.allocate(Math.max(PARTIAL_BYTES_MIN, needed));
        all.put(0, before, 0, before.position()).put(before.position(), memory, from, count);
        return all.position(needed);
    }

    private boolean identify(ConnectionRecord connection, ProxyHeader header) {
        InetSocketAddress proxy = proactor.remoteAddress(connection.handle);
        InetSocketAddress given = header.source();
        InetSocketAddress client = given == null ? proxy : given;
        CloseReason refusal = source.identified(client, header.isLocal());
        if (refusal != null) {
            counters.add(Counters.REFUSED, 1);
            log.refused(client, refusal);
            connection.cachedAddress(client); // for the log and the handler
            connection.set(ConnectionRecord.RESET_ON_CLOSE);
            closeRequests.close(connection, refusal);
            return false;
        }
        connection.cachedAddress(client);
        connection.proxyHeader(null);
        if (connection.profile().tls() != null) { // whose handshake starts to receive by itself
            return stopReceiving(connection);
        }
        return true;
    }

    private boolean stopReceiving(ConnectionRecord connection) {
        connection.clear(ConnectionRecord.RECEIVING);
        try {
            proactor.stopReceiving(connection.handle);
            return true;
        } catch (IOException e) {
            closeRequests.fail(connection, e);
            return false;
        }
    }

    /** The input has ended before the header was complete. */
    void inputEnded(ConnectionRecord connection) {
        if (connection.proxyHeader() != null) {
            fail(connection, new ProtocolException("the connection has ended before the PROXY header was complete"));
        }
    }

    private void fail(ConnectionRecord connection, ProtocolException failure) {
        connection.failure(failure);
        closeRequests.close(connection, CloseReason.PROTOCOL_ERROR);
    }

    // ---- sending

    /**
     * Sends the header of an outgoing connection that has just been connected, if it has one.
     *
     * @return true if there is none, or it was sent; false: it is being sent, or the connection was closed
     */
    boolean send(ConnectionRecord connection) {
        ProxyHeader header = connection.profile().proxyHeader();
        if (header == null || connection.is(ConnectionRecord.ACCEPTED)) {
            return true;
        }
        ByteBuffer rest = connection.proxyHeader();
        if (rest == null) {
            rest = header.encode();
            connection.proxyHeader(rest);
        }
        one[0] = rest;
        try {
            proactor.sendNow(connection.handle, one, 0, 1);
        } catch (IOException e) {
            closeRequests.fail(connection, e);
            return false;
        } finally {
            one[0] = NOTHING_YET;
        }
        if (rest.hasRemaining()) {
            return false; // continues when the socket has room
        }
        connection.proxyHeader(null);
        return true;
    }
}
