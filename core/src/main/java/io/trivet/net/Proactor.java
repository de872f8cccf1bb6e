package io.trivet.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Provider interface (SPI): performs operations on TCP connections and delivers their completions. The server is built on it,
 * because an io_uring is only fast in this form; {@link ReadinessProactor} adapts any {@link Poller}. Applications use
 * {@code io.trivet.server}.
 *
 * <p><b>Handles.</b> A handle identifies a connection. It is at least 0: the slot in the lower half, the generation in the upper
 * half. It is never a descriptor. A handle is stale once its connection has been closed, until its slot has been reused two
 * billion times. Operations on a stale handle do nothing, unless stated otherwise. Slots are small numbers and are reused, so a
 * caller can keep its own data per connection in an array.
 *
 * <p><b>Threads.</b> The first thread that polls owns the proactor, and only that thread may call its methods, with these
 * exceptions:
 *
 * <ul>
 *   <li>Any thread may call {@link #wakeup}, {@link #remoteAddress}, {@link #localAddress} and {@link #interest}, even while the
 *       owner closes the connection. They never return data of a later connection in the same slot. If the handle is stale, the
 *       methods for addresses throw, and {@link #interest} returns 0.
 *   <li>Before the first poll, another thread may construct the proactor, {@link #prepare} it and start operations. Without
 *       {@link #prepare}, the first poll creates the resources that the kernel may refuse.
 *   <li>The owner may be a virtual thread. When the owner has ended, the next thread that polls is the owner, and operations
 *       continue.
 *   <li>When no thread polls any more, another thread may stop accepting and call {@link #close()}.
 * </ul>
 *
 * <p>A thread that finds a handle stale sees everything that the owner wrote before it called {@link #close(long)}. A caller can
 * therefore save the peer's address before closing, and read the saved address when {@link #remoteAddress} throws.
 *
 * <p><b>Ownership.</b> The proactor owns an adopted connection. It borrows the buffers of a send only while the send is
 * {@linkplain #PENDING pending}. It lends received memory only during {@link Completions#received}. Listeners stay with the
 * caller.
 *
 * <p>Source: man 7 io_uring; for the adaptor, man 7 epoll.
 */
public interface Proactor extends AutoCloseable {
    /**
     * Result of {@link #send}: the next poll hands the bytes to the kernel. They must stay unchanged and in place until
     * {@link Completions#sent} reports how many were written.
     */
    long PENDING = -1;

    /**
     * Returns the slot of a handle.
     *
     * @param handle a handle
     * @return a small number, at least 0
     */
    static int slot(long handle) {
        return (int) handle;
    }

    /**
     * Accepts connections until {@link #stopAccepting}. Each poll accepts a bounded number.
     *
     * @param listener a listener of this network's family
     * @param token passed to {@link Completions#accepted}; at least 0
     * @throws IllegalArgumentException the listener belongs to another network family
     * @throws IOException the kernel refuses
     */
    void accept(TcpListener listener, long token) throws IOException;

    /**
     * Stops accepting. Connections that have already been accepted are still delivered. {@link #accept} starts again.
     *
     * @param listener a listener that accepts
     * @throws IOException the kernel refuses
     */
    void stopAccepting(TcpListener listener) throws IOException;

    /**
     * Takes ownership of a connection.
     *
     * @param stream a connected stream of this network's family
     * @return its handle
     * @throws IllegalArgumentException the stream belongs to another network family; the caller keeps it
     * @throws IOException the kernel refuses; the caller keeps the stream
     */
    long adopt(TcpStream stream) throws IOException;

    /**
     * Starts to connect. {@link Completions#connected} or {@link Completions#failed} reports the outcome. The new connection has
     * TCP_NODELAY set, since callers of a proactor batch their bytes themselves.
     *
     * @param address the address; it may stand for a {@link UnixAddress}
     * @return the handle
     * @throws IOException no descriptor is left, the host is unknown, …
     */
    long connect(InetSocketAddress address) throws IOException;

    /**
     * Starts to connect from a local address, otherwise like {@link #connect(InetSocketAddress)}.
     *
     * @param address the address
     * @param local an address of this machine, and the port, or 0; null: any
     * @return the handle
     * @throws IOException as for {@link Network#connect(InetSocketAddress, InetSocketAddress)}; or this proactor cannot do that, as by
     *     default
     */
    default long connect(InetSocketAddress address, @Nullable InetSocketAddress local) throws IOException {
        if (local == null) {
            return connect(address);
        }
        throw new NetworkException("bind", local, ErrorCode.EOPNOTSUPP,
                "EOPNOTSUPP, this network cannot choose the local address of a connection");
    }

    /**
     * Receives until {@link #stopReceiving}.
     *
     * @param handle a connection
     * @throws IOException the kernel refuses
     */
    void receive(long handle) throws IOException;

    /**
     * Stops receiving. Receives that have already completed are still delivered, and the caller must keep their bytes.
     *
     * @param handle a connection
     * @throws IOException the kernel refuses
     */
    void stopReceiving(long handle) throws IOException;

    /**
     * Watches for urgent data as well, from the next {@link #receive} on. Does nothing for a Unix domain stream, which has none. The proactor then reads exactly once each time that
     * data is reported: a speculative read would destroy the urgent byte.
     *
     * @param handle a connection
     * @throws UnsupportedOperationException the network does not support it ({@link Capability#URGENT_DATA})
     * @throws IOException the kernel refuses
     */
    void watchUrgent(long handle) throws IOException;

    /**
     * Sends one urgent byte at once, ahead of everything that waits.
     *
     * @param handle a connection
     * @param b the byte
     * @return true if it was sent; false if it would block, or the handle is stale
     * @throws UnsupportedOperationException the network does not support it ({@link Capability#URGENT_DATA})
     * @throws IOException the connection has failed
     */
    boolean sendUrgent(long handle, byte b) throws IOException;

    /**
     * Sends bytes. A connection has at most one send in flight: after {@link #PENDING}, and after a send that did not write all
     * bytes, wait for {@link Completions#sent} before the next send.
     *
     * <p>A pending send waits for the next poll, never for the peer. If the socket then becomes full, the caller owns the
     * remaining bytes again. A slow peer therefore never prolongs the time for which memory is lent.
     *
     * @param handle a connection
     * @param parts direct buffers; their positions advance over the bytes that were written, unless the send is pending
     * @param from the index of the first buffer
     * @param count the number of buffers
     * @return the number of bytes accepted for sending, from 0 to all; or {@link #PENDING}
     * @throws IllegalStateException an earlier send is still pending
     * @throws IOException the connection has failed
     */
    long send(long handle, ByteBuffer[] parts, int from, int count) throws IOException;

    /**
     * Sends bytes like {@link #send}, but is never pending: for callers that need to know at once how much the socket accepts.
     *
     * @param handle a connection
     * @param parts direct buffers; their positions advance over the bytes that were written
     * @param from the index of the first buffer
     * @param count the number of buffers
     * @return the number of bytes accepted for sending, from 0 to all
     * @throws IllegalStateException an earlier send is still pending
     * @throws IOException the connection has failed
     */
    default long sendNow(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        return send(handle, parts, from, count);
    }

    /**
     * Returns the number of bytes that {@link #send} has accepted but not yet sent and, if it is not 0, arms one notification of
     * progress. A ring accepts bytes that lie in its own memory before it knows whether the socket has room.
     *
     * <p>While the result is not 0, closing the connection would cut these bytes off, and a send accepts nothing. The
     * notification is a call of {@link Completions#sent} with 0, when some or all of the bytes have been sent. To be notified
     * again, call this method again.
     *
     * @param handle a connection
     * @return the number of bytes; 0 if the kernel has everything, or the handle is stale
     */
    default long unsentBytes(long handle) {
        return 0;
    }

    /**
     * Sends bytes of a file, where the kernel can do that without copying them through this process. Like {@link #sendNow}, it is
     * never pending. The call may wait for the disk.
     *
     * @param handle a connection
     * @param file the file, opened by this network
     * @param position the index of the first byte in the file
     * @param count the number of bytes, at least 1
     * @return the number of bytes accepted for sending. If they are less than {@code count}, wait for {@link Completions#sent}
     *     before the next send. Or {@link SendableFile#ENDED}, or {@link SendableFile#UNSUPPORTED}, as by default: no bytes were
     *     sent, and no completion follows
     * @throws IllegalStateException an earlier send is still pending
     * @throws IOException the connection has failed, or the file
     */
    default long sendFile(long handle, SendableFile file, long position, long count) throws IOException {
        return SendableFile.UNSUPPORTED;
    }

    /**
     * Moves bytes that have arrived for a connection into a pipe to another one, where the kernel can do that without copying them
     * through this process. If bytes wait in that pipe, moves no others. Receiving goes on as before: what was moved is not
     * delivered.
     *
     * @param from the connection that has received
     * @param to the connection to send to, with {@link #sendSpliced}
     * @param count the maximum number of bytes, at least 1
     * @return the number of bytes in the pipe; 0: there are none to move, or the bytes have to be received, as by default
     * @throws IOException the connection has failed
     */
    default int splice(long from, long to, int count) throws IOException {
        return 0;
    }

    /**
     * Sends bytes that {@link #splice} has moved. Like {@link #sendNow}, it is never pending.
     *
     * @param handle the connection to send to
     * @param count the number of bytes, not more than are in the pipe
     * @return the number of bytes accepted for sending. If they are less than {@code count}, wait for {@link Completions#sent}
     *     before the next send
     * @throws IllegalStateException an earlier send is still pending
     * @throws IOException the connection has failed
     */
    default int sendSpliced(long handle, int count) throws IOException {
        throw new UnsupportedOperationException("this proactor does not splice");
    }

    /**
     * Sets an option of a connection's socket, like {@link Socket#setOption}.
     *
     * @param handle a connection
     * @param option the option
     * @param value its new value
     * @param <T> the type of the value
     * @throws UnsupportedOperationException the network has no such option; by default it has none
     * @throws IllegalArgumentException the handle is stale
     * @throws IOException the kernel refuses
     */
    default <T> void setOption(long handle, SocketOption<T> option, T value) throws IOException {
        throw new UnsupportedOperationException("this proactor has no option " + option.name());
    }

    /**
     * Returns an option of a connection's socket, like {@link Socket#getOption}.
     *
     * @param handle a connection
     * @param option the option
     * @param <T> the type of the value
     * @return its value
     * @throws UnsupportedOperationException the network has no such option; by default it has none
     * @throws IllegalArgumentException the handle is stale
     * @throws IOException the kernel refuses
     */
    default <T> T getOption(long handle, SocketOption<T> option) throws IOException {
        throw new UnsupportedOperationException("this proactor has no option " + option.name());
    }

    /**
     * Ends the output after everything that was sent. If a send is pending, the output ends after the bytes that the socket
     * accepts of it.
     *
     * @param handle a connection
     * @throws IOException the connection has failed
     */
    void shutdownOutput(long handle) throws IOException;

    /**
     * Closes a connection. The handle is stale from now on. {@link Completions#closed} follows in a later poll, as the last call
     * for this handle; only then is the slot free again.
     *
     * @param handle a connection
     */
    void close(long handle);

    /**
     * Closes a connection with a reset (RST): bytes that the kernel has not sent are discarded, and the peer's next call fails.
     * So the peer can tell that the connection was cut, and did not end. A Unix domain stream has no reset, see {@link UnixStream}.
     * Otherwise like {@link #close(long)}.
     *
     * @param handle a connection
     */
    void reset(long handle);

    /**
     * Returns the peer's address. Any thread may call it.
     *
     * @param handle an open connection
     * @return the address; never that of a later connection in the same slot
     * @throws IllegalArgumentException the handle is stale, or became stale during the call
     */
    InetSocketAddress remoteAddress(long handle);

    /**
     * Returns the local address of a connection. Any thread may call it.
     *
     * @param handle an open connection
     * @return the address, with the port that the kernel chose; never that of a later connection in the same slot
     * @throws IllegalArgumentException the handle is stale, or became stale during the call
     */
    InetSocketAddress localAddress(long handle);

    /**
     * Returns what is currently watched on a connection's socket, for snapshots. Any thread may call it; the value may be
     * outdated at once.
     *
     * @param handle a connection
     * @return bits of {@link Interest}: READ while it receives, WRITE while a send or accepted bytes wait for room, PRIORITY while
     *     it watches for urgent data; 0 if the handle is stale, or became stale during the call
     */
    int interest(long handle);

    /**
     * Creates the resources that the kernel may refuse, before the first poll. Best called by the thread that will poll: a
     * proactor may have to create resources of its own for that thread.
     *
     * @throws IOException the kernel refuses; the message states the reason and the cure
     */
    default void prepare() throws IOException {}

    /**
     * Waits for completions and delivers them.
     *
     * @param completions receives the completions
     * @param timeoutNanos negative: waits without limit; 0: does not wait; otherwise the maximum wait in nanoseconds
     * @return the number of completions delivered; 0 if the wait ended by {@link #wakeup}, an interrupt or the timeout
     * @throws IllegalStateException the proactor is closed
     * @throws IOException the kernel refuses
     */
    int poll(Completions completions, long timeoutNanos) throws IOException;

    /**
     * Returns true if the last {@link #poll} has reached one of its bounds, so that more may be ready than it has delivered. A
     * caller that enforces deadlines polls again before it does.
     *
     * @return true if the next poll may deliver something that was ready before the last one
     */
    default boolean isBehind() {
        return false;
    }

    /**
     * Returns the size of the heap memory for unsent bytes of all connections: bytes that were accepted for sending, and that the
     * socket has refused.
     *
     * @return the number of bytes
     */
    default long keptBytes() {
        return 0;
    }

    /**
     * Returns the size of the heap memory for unsent bytes of one connection. Unlike {@link #unsentBytes}, requests no
     * completion.
     *
     * @param handle the connection
     * @return the number of bytes; 0 if the handle is stale
     */
    default long keptBytes(long handle) {
        return 0;
    }

    /**
     * Returns the size of the memory that this proactor shares with the kernel. Any thread may call it.
     *
     * @return the number of bytes
     */
    default long ringBytes() {
        return 0;
    }

    /**
     * Returns the size of this proactor's own native buffers, which does not depend on the number of connections. Any thread may
     * call it.
     *
     * @return the number of bytes
     */
    default long bufferBytes() {
        return 0;
    }

    /**
     * Ends the current wait, or if there is none the next one. Any thread may call it. After {@link #close()} it does nothing.
     */
    void wakeup();

    /**
     * Closes every connection and the proactor. No more completions are delivered.
     *
     * @throws IOException the kernel reports an error
     */
    @Override
    void close() throws IOException;
}
