package io.trivet.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/**
 * Completion: operations are started here, and {@link #poll} tells which have completed. The other half of the seam, and the one a
 * server is written on, since a ring of the kernel is only fast this way; {@link ReadinessProactor} makes one of any {@link Poller}.
 *
 * <p><b>Handles.</b> A connection is a number, not negative: slot in the lower half, generation in the upper, never a descriptor. A handle
 * whose connection was closed is stale until its slot has been used two billion times again; operations on it do nothing. Slots are small
 * numbers, used again, so a caller can keep what belongs to a connection in an array.
 *
 * <p><b>Threads.</b> One: the first to poll. From any thread: {@link #wakeup}. Nothing that costs the kernel memory is made before
 * the first poll, which may therefore happen on another thread than the construction.
 */
public interface Proactor extends AutoCloseable {
    /** {@link #send}: the next poll hands the bytes to the kernel; they may not move until {@link Completions#sent} tells how far it came. */
    long PENDING = -1;

    /**
     * The slot of a handle.
     *
     * @param handle a handle
     * @return a small number, at least 0
     */
    static int slot(long handle) {
        return (int) handle;
    }

    /**
     * Accepts connections, again and again, until stopped. A bounded number is accepted in one poll.
     *
     * @param listener a listener of this network's family
     * @param token what {@link Completions#accepted} carries; not negative
     * @throws IOException the kernel refuses
     */
    void accept(TcpListener listener, long token) throws IOException;

    /**
     * Stops accepting; what has been accepted already is still told. {@link #accept} begins anew.
     *
     * @param listener a listener that is being accepted from
     * @throws IOException the kernel refuses
     */
    void stopAccepting(TcpListener listener) throws IOException;

    /**
     * Takes over a connection, which belongs to the proactor from now on.
     *
     * @param stream a connected stream of this network's family
     * @return its handle
     * @throws IOException the kernel refuses; the stream is left to the caller
     */
    long adopt(TcpStream stream) throws IOException;

    /**
     * Begins to connect; {@link Completions#connected} or {@link Completions#failed} tells how it went. What is sent then goes at once
     * (TCP_NODELAY): whoever gathers his bytes does not want the kernel to wait for more.
     *
     * @param address the address
     * @return the handle
     * @throws IOException no descriptor is left, the host is unknown, …
     */
    long connect(InetSocketAddress address) throws IOException;

    /**
     * Receives, again and again, until stopped.
     *
     * @param handle a connection
     * @throws IOException the kernel refuses
     */
    void receive(long handle) throws IOException;

    /**
     * Stops receiving. What had completed by then is still told: the caller keeps it.
     *
     * @param handle a connection
     * @throws IOException the kernel refuses
     */
    void stopReceiving(long handle) throws IOException;

    /**
     * Watches for urgent data as well, from the next {@link #receive} on. Then there is exactly one read for each time that data is
     * reported: a speculative one would destroy the urgent byte.
     *
     * @param handle a connection
     * @throws UnsupportedOperationException the network cannot ({@link Capability#URGENT_DATA})
     * @throws IOException the kernel refuses
     */
    void watchUrgent(long handle) throws IOException;

    /**
     * Sends one urgent byte at once, past everything that waits.
     *
     * @param handle a connection
     * @param b the byte
     * @return true: sent; false: it would block, or the handle is stale
     * @throws UnsupportedOperationException the network cannot ({@link Capability#URGENT_DATA})
     * @throws IOException the connection has failed
     */
    boolean sendUrgent(long handle, byte b) throws IOException;

    /**
     * Sends. One send at a time is under way for a connection: after {@link #PENDING}, and after one that did not take all, the next
     * waits for {@link Completions#sent}. A pending send waits for the kernel to look at it, never for the peer: what the socket does not
     * take then is the caller's again, so that nobody's memory is lent for longer the slower his peer reads.
     *
     * @param handle a connection
     * @param parts direct buffers; the positions of those that were taken from move, unless the send is pending
     * @param from the index of the first
     * @param count how many
     * @return the bytes that were taken, from 0 to all; or {@link #PENDING}: {@link Completions#sent} tells how many were
     * @throws IOException the connection has failed
     */
    long send(long handle, ByteBuffer[] parts, int from, int count) throws IOException;

    /**
     * Sends as {@link #send} does, but is never pending: for whoever must know at once what the socket takes.
     *
     * @param handle a connection
     * @param parts direct buffers; the positions of those that were taken from move
     * @param from the index of the first
     * @param count how many
     * @return the bytes that were taken, from 0 to all
     * @throws IOException the connection has failed
     */
    default long sendNow(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        return send(handle, parts, from, count);
    }

    /**
     * How much of what {@link #send} called taken the kernel has not been able to take yet: a ring takes what lies in its own memory before
     * it knows. To end the connection now would cut it off, and a send now takes nothing. Whoever is told of some here is told, by
     * {@link Completions#sent} with 0, each time that some of it has left, and when all of it has.
     *
     * @param handle a connection
     * @return so many bytes; 0 where the kernel has everything, or the handle is stale
     */
    default long unsentBytes(long handle) {
        return 0;
    }

    /**
     * Ends the output, behind everything that was sent; of a send that is pending, behind what the socket takes of it.
     *
     * @param handle a connection
     * @throws IOException the connection has failed
     */
    void shutdownOutput(long handle) throws IOException;

    /**
     * Closes; {@link Completions#closed} is the last that is told of the handle, by a later poll.
     *
     * @param handle a connection
     */
    void close(long handle);

    /**
     * The peer's address.
     *
     * @param handle an open connection
     * @return the address
     * @throws IllegalArgumentException the handle is stale
     */
    InetSocketAddress remoteAddress(long handle);

    /**
     * Our address on that connection. From any thread.
     *
     * @param handle an open connection
     * @return the address, with the port that the kernel chose
     * @throws IllegalArgumentException the handle is stale
     */
    InetSocketAddress localAddress(long handle);

    /**
     * What is watched of a connection's socket just now, for those who look on: bits of {@link Interest}. From any thread; a moment
     * later it may be otherwise.
     *
     * @param handle a connection
     * @return READ while it receives, WRITE while a send waits, PRIORITY while it watches for urgent data; 0 when stale
     */
    int interest(long handle);

    /**
     * Waits for completions, and tells them.
     *
     * @param completions told what has completed
     * @param timeoutNanos negative: no limit; 0: does not wait; else the longest wait in nanoseconds
     * @return how many completions were told
     * @throws IOException the kernel refuses
     */
    int poll(Completions completions, long timeoutNanos) throws IOException;

    /** Ends the wait that is under way, or else the next one. From any thread; after {@link #close()} it does nothing. */
    void wakeup();

    /**
     * Closes every connection, and the proactor. Nothing more is told.
     *
     * @throws IOException the kernel reports an error
     */
    @Override
    void close() throws IOException;
}
