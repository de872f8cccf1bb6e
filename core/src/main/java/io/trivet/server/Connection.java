package io.trivet.server;

import io.trivet.net.UnixAddress;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ConnectionState;
import io.trivet.tls.Tls;
import io.trivet.tls.TlsClient;
import io.trivet.tls.TlsInfo;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A connection of a server: a client that has connected to it, or a connection that the server has made.
 *
 * <p><b>States</b> ({@link ConnectionState}). From each state, CLOSED can follow at once:
 *
 * <pre>
 *  CONNECTING ──connected──► OPEN ──peer's FIN──► INPUT_ENDED
 *                              │                      │
 *                              └───────finish()───────┤
 *                                                     ▼
 *                                 DRAINING: the queue is sent; messages are neither accepted nor delivered
 *                                                     │ queue empty: our FIN
 *                                                     ▼
 *                                 LINGERING: further input is read and dropped, bounded in bytes and time
 *                                                     │ the peer's FIN
 *                                                     ▼
 *                                                  CLOSED, with a {@link CloseReason}
 * </pre>
 *
 * <p><b>Sending</b> never blocks. An accepted message waits in this connection's {@linkplain #queue queue}, which has a cap,
 * until the socket accepts it. The message is copied when it is accepted, so its buffer can be reused at once.
 *
 * <p><b>Threads.</b> Every method may be called from any thread. Messages from one thread keep their order. Handlers run on the
 * thread of the connection's loop. A call from another thread becomes a task of the loop; if two million tasks are waiting there,
 * it throws {@link RejectedExecutionException}.
 */
public final class Connection extends ConnectionRecord {
    private volatile ConnectionContext context;
    private volatile @Nullable Object attachment;

    /** Creates an accepted connection. */
    Connection(ConnectionContext context) {
        super(true);
        this.context = context;
    }

    /** Creates a connection that is about to connect to that address. */
    Connection(ConnectionContext context, InetSocketAddress address) {
        super(false);
        this.context = context;
        cachedAddress(address);
    }

    @Override
    Profile profile() {
        return context.profile();
    }

    @Override
    FrameDecoder decoder() {
        return context.decoder();
    }

    /** Returns the calls by which its loop is reached. */
    ConnectionCalls calls() {
        return context.calls();
    }

    // ---- sending

    /**
     * Sends the bytes from position to limit as one message. If they are accepted, the position moves to the limit.
     *
     * @param message the message, without its frame
     * @return QUEUED: accepted; it is delivered to the kernel, or dropped and reported to {@link Handler#onDropped}, or the
     *     connection ends with a reason. FULL: nothing was accepted, and the connection is being closed with {@link
     *     CloseReason#QUEUE_FULL}. CLOSED: nothing was accepted
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public SendResult send(ByteBuffer message) {
        return calls().send(this, message, false);
    }

    /**
     * Sends bytes as one message, like {@link #send(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @return as for {@link #send(ByteBuffer)}
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public SendResult send(byte[] message) {
        return calls().send(this, ByteBuffer.wrap(message), false);
    }

    /**
     * Sends a text as one message, in UTF-8, like {@link #send(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @return as for {@link #send(ByteBuffer)}
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public SendResult send(String message) {
        return calls().send(this, message);
    }

    /**
     * Sends a message if it fits under the cap. If it does not, the connection stays open. With {@link Overflow#DROP_OLDEST}
     * older messages may be dropped to make room. If the server's budget is exceeded, the connection is closed with {@link
     * CloseReason#BUDGET_EXCEEDED}.
     *
     * @param message the message, without its frame; if it is accepted, its position moves to its limit
     * @return QUEUED, FULL or CLOSED
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public SendResult offer(ByteBuffer message) {
        return calls().offer(this, message);
    }

    /**
     * Sends bytes as one message if they fit, like {@link #offer(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @return QUEUED, FULL or CLOSED
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public SendResult offer(byte[] message) {
        return offer(ByteBuffer.wrap(message));
    }

    /**
     * Sends a text as one message, in UTF-8, if it fits, like {@link #offer(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @return QUEUED, FULL or CLOSED
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public SendResult offer(String message) {
        return offer(Admission.utf8(message));
    }

    /**
     * Sends a message before all ordinary messages that wait, at the next message boundary. Several such messages keep their
     * order.
     *
     * @param message the message, without its frame; if it is accepted, its position moves to its limit
     * @return as for {@link #send(ByteBuffer)}
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public SendResult sendFirst(ByteBuffer message) {
        return calls().send(this, message, true);
    }

    /**
     * Sends bytes before all ordinary messages that wait, like {@link #sendFirst(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @return as for {@link #send(ByteBuffer)}
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public SendResult sendFirst(byte[] message) {
        return sendFirst(ByteBuffer.wrap(message));
    }

    /**
     * Sends a text, in UTF-8, before all ordinary messages that wait, like {@link #sendFirst(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @return as for {@link #send(ByteBuffer)}
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public SendResult sendFirst(String message) {
        return sendFirst(Admission.utf8(message));
    }

    /**
     * Sends TCP's urgent byte, which does not pass through the queue. The loop sends it soon. If the socket is full then, or the
     * connection is not connected or its output has ended, the byte is not sent.
     *
     * @param b the byte
     * @throws UnsupportedOperationException the server's network cannot send urgent data, or the connection uses TLS
     */
    public void sendUrgent(byte b) {
        if (profile().tls() != null) {
            throw new UnsupportedOperationException("TLS has no urgent data");
        }
        context.server().checkUrgent();
        calls().sendUrgent(this, b);
    }

    // ---- streamed messages

    /**
     * Streams a message from a channel. The bytes are sent as they are, without a frame, in order with the messages: everything
     * that was accepted before is sent first, and everything that is accepted afterwards waits until the transfer has ended. This
     * includes {@link #sendFirst}, because a transfer is one message.
     *
     * <p><b>The source</b> is read on the loop's thread, piece by piece, when the socket has room. At most one piece of 64 KiB is in
     * memory. It counts in the {@linkplain #queue queue} and in the server's budget; a transfer that waits counts as a message of
     * 1 KiB. A read must not block, because the loop's other connections would wait for it. A read that returns 0 means that there
     * is nothing now: the source is read again after {@link #continueTransfer}. The source is closed when the transfer ends.
     *
     * <p><b>A transfer is complete, or visibly cut.</b> If the source throws, or ends before {@code count} bytes, the connection is
     * reset with {@link CloseReason#TRANSFER_FAILED}. So it is if the connection is closed before the end. If the peer accepts no
     * byte within the write timeout, the connection ends with {@link CloseReason#WRITE_TIMEOUT}; while the source has nothing, only
     * the idle timeout runs. {@link #finish}, {@link #finishOutput} and a drain wait for the transfer, like for any message.
     *
     * <p>With {@link Overflow#DROP_OLDEST} neither a transfer nor a message before it is dropped, so that no head is separated from
     * its body.
     *
     * @param source the bytes
     * @param count how many of them, at least 0; -1: until the source ends
     * @param listener called when the transfer has ended
     * @return QUEUED: the listener will be called, exactly once. FULL: the connection is being closed with {@link
     *     CloseReason#QUEUE_FULL}. CLOSED: the connection takes no messages. If it is not QUEUED, the caller keeps the source, and
     *     the listener is not called
     * @throws IllegalArgumentException the count is less than -1
     */
    public SendResult sendFrom(ReadableByteChannel source, long count, TransferListener listener) {
        if (count < -1) {
            throw new IllegalArgumentException("count must be at least -1: " + count);
        }
        return send(new ChannelSource(source), count, listener);
    }

    /**
     * Streams a range of a file, like {@link #sendFrom}. On Linux the kernel sends it from its page cache without copying it through
     * this process (man 2 sendfile), as java.nio does where the system can; otherwise, as on a simulated network or for a file
     * system without that call, it is read piece by piece. A file that is not in the page cache makes the loop wait for the disk.
     *
     * <p>The file is opened by this call, and closed when the transfer ends. If it is shortened meanwhile, the connection is reset
     * with {@link CloseReason#TRANSFER_FAILED}; if its bytes are changed, the peer may get either.
     *
     * @param file a regular file, on any file system
     * @param position the index of the first byte, at least 0
     * @param count the number of bytes, at least 0; -1: to the end that the file has now
     * @param listener called when the transfer has ended
     * @return as for {@link #sendFrom}
     * @throws IllegalArgumentException the position is negative, or the count is less than -1
     * @throws IOException nothing was accepted, and the connection is as before: the file does not exist ({@link
     *     java.nio.file.NoSuchFileException}), is no regular file ({@link java.nio.file.FileSystemException}), ends within the range
     *     ({@link java.io.EOFException}), or cannot be opened, also because the process has no descriptor left
     */
    public SendResult sendFile(Path file, long position, long count, TransferListener listener) throws IOException {
        Objects.requireNonNull(listener, "listener");
        if (position < 0 || count < -1) {
            throw new IllegalArgumentException(
                    "position must be at least 0, and count at least -1: " + position + ", " + count);
        }
        FileSource source = FileSource.open(context.server().network(), file, position, count);
        SendResult result = null;
        try {
            result = send(source, source.count(), listener);
            return result;
        } finally {
            if (result != SendResult.QUEUED) { // also if too many tasks are waiting for the loop
                source.close();
            }
        }
    }

    /**
     * Relays the input of this connection to another one, until its end, and then ends the output of the other one as
     * {@link #finishOutput} does. A proxy calls it for both directions:
     *
     * {@snippet :
     * public void onOpen(Connection client) {
     *     Connection upstream = client.connect(address, Protocol.of(Framing.raw(), (connection, bytes) -> {}), client);
     *     client.relayTo(upstream);
     *     upstream.relayTo(client);
     * }
     * }
     *
     * @param target as for {@link #relayTo(Connection, long, TransferListener)}
     * @return as for {@link #relayTo(Connection, long, TransferListener)}
     * @throws IllegalArgumentException as for {@link #relayTo(Connection, long, TransferListener)}
     * @throws IllegalStateException as for {@link #relayTo(Connection, long, TransferListener)}
     */
    public SendResult relayTo(Connection target) {
        return relayTo(target, -1, (other, bytes, failure) -> {
            if (failure == null) {
                other.finishOutput();
            }
        });
    }

    /**
     * Relays the input of this connection to another one. Bytes that it receives from now on, and bytes that it has received and
     * not delivered, are sent to the target unchanged, without frames and without calling the handler. The relay is a transfer of
     * the target, like one of {@link #sendFrom}: everything that the target has accepted before is sent first, and everything
     * that it accepts afterwards waits until the relay has ended.
     *
     * <p><b>Backpressure.</b> This connection receives only while the target's socket has room. Bytes that the socket refuses are
     * held, about 64 KiB at most, and count in the server's budget. Nothing more is received until they were sent. On Linux,
     * where many bytes arrive at a time, the kernel moves them through a pipe without copying them (man 2 splice). Then the pipe
     * holds up to 256 KiB instead, in the kernel. A loop has up to 32 pipes, and copies if all are in use. All timeouts apply, as
     * they do for messages. A target that accepts nothing ends with {@link CloseReason#WRITE_TIMEOUT}. A source that sends
     * nothing is limited only by the idle timeouts. {@link #pauseReading} stops the relay, too.
     *
     * <p><b>The end.</b> After {@code count} bytes, messages follow again under this connection's framing. At the end of input the
     * listener is called, and then {@link Handler#onEndOfInput} of this connection. {@link #finish} and a drain, of either connection,
     * let the relay continue to its end.
     *
     * <p><b>A relay is complete, or visibly cut.</b> If either connection ends before the relay, or the input ends before {@code
     * count} bytes, the other one is reset with {@link CloseReason#TRANSFER_FAILED}.
     *
     * <p>Both connections must belong to the same loop: {@link #connect} makes such a connection. The target may still be connecting.
     * With {@link Overflow#DROP_OLDEST} nothing of a relay is dropped.
     *
     * @param target the connection to send to
     * @param count the number of bytes, at least 0; -1: until the end of input
     * @param listener called with the target when the relay has ended
     * @return QUEUED: the listener will be called, exactly once. FULL: the target is being closed with {@link CloseReason#QUEUE_FULL}.
     *     CLOSED: the target accepts no messages, or this connection delivers no further input. If the result is not QUEUED, this
     *     connection is unchanged, and the listener is not called
     * @throws IllegalArgumentException the count is less than -1; the target is this connection, or belongs to another loop
     * @throws IllegalStateException the caller is not on the thread of the connection's loop: call this from a callback, or use
     *     {@link #execute}; a session serves this connection; or its input is being relayed or {@linkplain #receiveParts received
     *     in parts} already
     */
    public SendResult relayTo(Connection target, long count, TransferListener listener) {
        Objects.requireNonNull(listener, "listener");
        calls().checkOwnThread("relayTo");
        if (count < -1) {
            throw new IllegalArgumentException("count must be at least -1: " + count);
        }
        if (equals(target)) {
            throw new IllegalArgumentException("a connection cannot relay to itself: " + this);
        }
        if (!calls().equals(target.calls())) {
            throw new IllegalArgumentException("a relay needs both connections on one loop, but this one is on loop " + loop()
                    + " and the target on loop " + target.loop()
                    + (server().equals(target.server()) ? ": open the target with connect of this connection"
                            : " of another server"));
        }
        if (hasSession()) {
            throw new IllegalStateException("a connection with a session cannot be relayed: the session receives its input");
        }
        return calls().relay(this, target, count, (bytes, failure) -> listener.done(target, bytes, failure));
    }

    /**
     * Starts to connect, like {@link Server#connect(InetSocketAddress, Protocol, Object)}, but on the loop of this connection. So the
     * callbacks of the two connections never run at the same time, and {@link #relayTo} can relay between them.
     *
     * @param address the address to connect to
     * @param protocol the framing, the handler, and the settings that differ from the server's
     * @param attachment the new connection's {@linkplain #attachment() attachment} from the start, or null
     * @return the new connection
     * @throws IllegalStateException DROP_OLDEST with raw framing
     * @throws UnsupportedOperationException urgent data on a network that cannot watch for it
     * @throws RejectedExecutionException the server is closed or draining, or a million tasks are waiting
     */
    public Connection connect(InetSocketAddress address, Protocol protocol, @Nullable Object attachment) {
        return context.server().connectOn(loop(), address, protocol, attachment);
    }

    /**
     * Starts to connect to a Unix domain socket on the loop of this connection, otherwise like
     * {@link #connect(InetSocketAddress, Protocol, Object)}.
     *
     * @param address the address
     * @param protocol the framing, the handler, and the settings that differ from the server's
     * @param attachment the new connection's {@linkplain #attachment() attachment} from the start, or null
     * @return the new connection
     */
    public Connection connect(UnixAddress address, Protocol protocol, @Nullable Object attachment) {
        return connect(address.asInetSocketAddress(), protocol, attachment);
    }

    private SendResult send(TransferSource source, long count, TransferListener listener) {
        Objects.requireNonNull(listener, "listener");
        return calls().send(this, new Transfer(source, count, (bytes, failure) -> listener.done(this, bytes, failure)));
    }

    /**
     * Lets a transfer continue whose source had nothing when it was read: it is read again soon. Does nothing if no transfer waits
     * for its source.
     */
    public void continueTransfer() {
        calls().continueTransfer(this);
    }

    /**
     * Sends a message like {@link #send(ByteBuffer)}, and reports when it has left: a reply can thus be followed by an action, or
     * a producer can pace itself. The listener is called when the kernel has accepted the last byte of the frame, which says
     * nothing about the peer's application, or with a failure if the connection ends before. Such a message is not dropped by
     * {@link Overflow#DROP_OLDEST}, and {@link #sendFirst} does not overtake it.
     *
     * @param message the message, without its frame; if it is accepted, its position moves to its limit
     * @param listener called once, if the result is QUEUED; its {@code bytes} include the frame
     * @return as for {@link #send(ByteBuffer)}
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public SendResult send(ByteBuffer message, TransferListener listener) {
        Objects.requireNonNull(listener, "listener");
        return calls().send(this, message, (bytes, failure) -> listener.done(this, bytes, failure));
    }

    // ---- socket options

    /**
     * Sets an option of the connection's socket, such as TCP_NODELAY, SO_SNDBUF, SO_KEEPALIVE or one of {@link
     * io.trivet.net.TcpOptions}. Connections have TCP_NODELAY set from the beginning. Call it on the connection's loop.
     *
     * @param option the option
     * @param value its new value
     * @param <T> the type of the value
     * @throws UnsupportedOperationException the network has no such option
     * @throws IllegalArgumentException SO_LINGER: {@link #finish}, {@link #close} and {@link #reset} determine how a connection ends
     * @throws IllegalStateException the caller is not on the connection's loop (use {@link #execute}), or the connect has not started
     * @throws IOException the connection is closed, or the kernel refuses
     */
    public <T> void setOption(SocketOption<T> option, T value) throws IOException {
        calls().setOption(this, option, value);
    }

    /**
     * Returns an option of the connection's socket. Call it on the connection's loop.
     *
     * @param option the option
     * @param <T> the type of the value
     * @return its value
     * @throws UnsupportedOperationException the network has no such option
     * @throws IllegalStateException the caller is not on the connection's loop (use {@link #execute}), or the connect has not started
     * @throws IOException the connection is closed, or the kernel refuses
     */
    public <T> T getOption(SocketOption<T> option) throws IOException {
        return calls().getOption(this, option);
    }

    // ---- reading and ending

    /**
     * Pauses reading: reads nothing more from the peer, and delivers nothing more, until {@link #resumeReading}. The peer is
     * slowed down by TCP's flow control.
     */
    public void pauseReading() {
        calls().pauseReading(this);
    }

    /** Resumes reading after {@link #pauseReading}. Messages that were held back are delivered first. */
    public void resumeReading() {
        calls().resumeReading(this);
    }

    /**
     * Half-closes: accepts no further messages for sending, and sends our FIN when everything that waits has been sent. What the
     * peer still sends is delivered; the connection ends when the peer has finished too. May be called before the connection is
     * connected.
     */
    public void finishOutput() {
        calls().finishOutput(this);
    }

    /**
     * Closes the connection gracefully: accepts and delivers no further messages, sends everything that waits, then closes. May
     * be called before the connection is connected; if something waits, it is sent first.
     */
    public void finish() {
        calls().finish(this);
    }

    /**
     * Closes at once. What waits is dropped. If anything is dropped that was accepted for sending, the peer sees a reset, so that
     * it does not take what it has received for everything. It also sees a reset if it has sent bytes that were not read.
     */
    public void close() {
        calls().close(this, CloseReason.CLOSED);
    }

    /**
     * Closes at once with a reset, even if nothing is dropped: the peer's next call fails with ECONNRESET. This is how a relay
     * passes on a connection that was cut off, which must not look complete to the peer behind it. {@code onClose} gets {@link
     * CloseReason#CLOSED}.
     */
    public void reset() {
        calls().reset(this);
    }

    // ---- changing the protocol

    /**
     * Changes the framing and the handler at a message boundary, for instance after a handshake line and before binary frames. Bytes
     * that have not been delivered are decoded under the new framing, including those that arrived together with the message that is
     * being handled. Messages that are sent from now on get the frame of the new framing, and so do messages of other threads that
     * have not reached the loop yet. Messages sent before keep their frame.
     *
     * <p>The new handler gets all further callbacks; onOpen is not called again. Limits and policies stay. If the connection is
     * closed, this does nothing.
     *
     * {@snippet :
     * public void onMessage(Connection connection, ByteBuffer line) {
     *     connection.send("switching");                                        // a line
     *     connection.upgrade(Framing.lengthPrefixed(4), new BinaryHandler()); // the next byte is the first of a length
     * }
     * }
     *
     * @param framing where messages end from now on
     * @param handler the handler from now on
     * @throws IllegalStateException the caller is not on the thread of the connection's loop: call this from a callback, or use
     *     {@link #execute}; a session serves the connection; or raw framing with DROP_OLDEST
     */
    public void upgrade(Framing framing, Handler handler) {
        Objects.requireNonNull(handler, "handler");
        calls().checkOwnThread("upgrade");
        if (hasSession()) {
            throw new IllegalStateException("a connection with a session cannot change its framing and handler");
        }
        ConnectionContext upgraded = context.with(framing, handler);
        if (!isClosed()) {
            context = upgraded;
            calls().framingChanged(this);
        }
    }

    /**
     * Changes from plaintext to TLS at a message boundary, for protocols with a command for that (STARTTLS). Messages sent before
     * go out in plaintext first. Messages sent from now on wait for the handshake and are encrypted. {@link #tls} returns the
     * outcome. If the handshake fails, the connection ends with {@link CloseReason#HANDSHAKE_FAILED} or {@link
     * CloseReason#HANDSHAKE_TIMEOUT}.
     *
     * <p>If bytes have arrived after the message that is being handled, the connection ends with {@link
     * CloseReason#PROTOCOL_ERROR}: the peer must wait for the answer before it starts its handshake. Otherwise an attacker could
     * insert commands in plaintext, and the server would execute them as if they had been sent over TLS.
     *
     * {@snippet :
     * public void onMessage(Connection connection, ByteBuffer line) {
     *     connection.send("220 go ahead"); // in plaintext
     *     connection.startTls(tls);        // the next message is the first one under TLS
     * }
     * }
     *
     * @param tls a {@link io.trivet.tls.TlsServer} to wait for the peer's handshake, a {@link io.trivet.tls.TlsClient} to start it. A
     *     client verifies the host name of {@link #remoteAddress}, unless it has a server name
     * @throws IllegalStateException the caller is not on the thread of the connection's loop: call this from a callback, or use
     *     {@link #execute}; the connection is not open, has TLS already, is receiving parts, is being relayed, or has a session (see
     *     {@link Session#startTls}); or the server has neither a listener with TLS nor {@link ServerBuilder#enableTls}
     * @throws UnsupportedOperationException the connection watches for urgent data, which TLS does not have
     */
    public void startTls(Tls tls) {
        Objects.requireNonNull(tls, "tls");
        calls().checkOwnThread("startTls");
        if (hasSession()) {
            throw new IllegalStateException("the connection has a session, which starts TLS by Session.startTls");
        }
        calls().startTls(this, secured(tls));
    }

    /** Returns what gives this connection the settings of TLS. A client without a server name gets that of the address. */
    Runnable secured(Tls tls) {
        Tls settings = tls instanceof TlsClient client && client.serverName() == null
                ? client.withServerName(remoteAddress().getHostString())
                : Objects.requireNonNull(tls, "tls");
        return () -> context = context.with(settings);
    }

    /**
     * Receives the next bytes in parts, without frames: for a payload that is longer than a message may be. Parts are delivered to
     * {@link Handler#onPart} as they arrive. They are never held, unless reading is paused. After the last part, messages follow
     * again. {@link Limits#messageBytesMax} and {@link Limits#messageTimeout} do not apply to parts; the idle timeouts do.
     *
     * <p>If the peer ends its output before the bytes are complete, {@link Handler#onEndOfInput} follows without a last part; with
     * {@link Remainder#ERROR} the connection is closed with {@link CloseReason#PROTOCOL_ERROR} instead.
     *
     * @param bytes the number of bytes; 0: an empty part follows at once; {@link Long#MAX_VALUE}: until the end of input, where an empty last
     *     part precedes {@code onEndOfInput}
     * @throws IllegalArgumentException the number is negative
     * @throws IllegalStateException the caller is not in {@code onMessage} of this connection, or in {@code onPart} with the last part;
     *     or parts are being received already
     */
    public void receiveParts(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("the number of bytes must not be negative: " + bytes);
        }
        calls().checkOwnThread("receiveParts");
        calls().receiveParts(this, bytes);
    }

    /**
     * Returns the limits of this connection.
     *
     * @return the limits; those of the numbers of connections, of the budget and of handlers are the server's, whatever is set here
     */
    public Limits limits() {
        return context.profile().limits();
    }

    /**
     * Changes the limits of this connection: timeouts, the length of messages, the cap and the marks of the queue. On the loop thread
     * they hold from now on, from another thread soon. Deadlines are those of the new timeouts, counted from the same events as
     * before; the time to the first message, if it is still awaited, starts again. A queue that is above its new marks becomes high,
     * and {@code onDrained} follows as usual.
     *
     * <p>Each connection with limits of its own takes some 100 bytes for them. A connection with a {@link Limits#readIdleTimeout}
     * takes about as much.
     *
     * @param limits the limits
     */
    public void limits(Limits limits) {
        Objects.requireNonNull(limits, "limits");
        calls().changeLimits(this, () -> {
            if (!isClosed()) {
                context = context.with(limits);
            }
        });
    }

    // ---- tasks

    /**
     * Runs a task on the connection's loop, soon, even if the connection is closed by then.
     *
     * @param task the task; an exception is logged
     * @throws RejectedExecutionException the server is closed, or a million tasks are waiting
     */
    public void execute(Runnable task) {
        calls().execute(task);
    }

    /**
     * Runs a task on the connection's loop after some time, unless it is cancelled or the connection is closed by then. A loop
     * runs its tasks in the order of their times. Scheduling and cancelling take logarithmic time in the number of the loop's
     * scheduled tasks.
     *
     * @param delay how long to wait; a negative delay counts as zero
     * @param task the task; an exception closes the connection, as a handler's exception does
     * @return the scheduled task, which can be cancelled
     * @throws RejectedExecutionException the server is closed; 65,536 tasks of this connection or a million of the loop are
     *     scheduled; or, from another thread, two million tasks wait for the loop
     */
    public ScheduledTask schedule(Duration delay, Runnable task) {
        return calls().schedule(this, delay, task);
    }

    // ---- information

    /**
     * Returns the peer's address.
     *
     * @return the address; also after the connection was closed. For a Unix domain socket, it stands for a {@link UnixAddress}, and {@link
     *     InetSocketAddress#getAddress} returns null
     * @throws IllegalStateException the connection has no address yet
     */
    public InetSocketAddress remoteAddress() {
        return calls().remoteAddress(this);
    }

    /**
     * Returns our own address on this connection: the one that the peer sees.
     *
     * @return the address; for a Unix domain socket, it stands for a {@link UnixAddress}
     * @throws IllegalStateException the connection is not connected yet, or closed
     */
    public InetSocketAddress localAddress() {
        InetSocketAddress address = state() == ConnectionState.CONNECTING || handle < 0 ? null : calls().localAddress(this);
        if (address == null) {
            throw new IllegalStateException("the connection has no local address: it is " + state());
        }
        return address;
    }

    /**
     * Returns what the TLS handshake has negotiated: version, cipher suite, application protocol, and the peer's certificates.
     *
     * @return the information, also after the connection was closed; null if the connection is in plaintext, or its handshake was not
     *     completed
     */
    public @Nullable TlsInfo tls() {
        return calls().tlsInfo(this);
    }

    /**
     * Returns the error that ended the connection: of the network, of the protocol, or of a transfer.
     *
     * @return the error, with the call, the error's name and the address, if the close reason is {@link
     *     CloseReason#CONNECT_FAILED}, {@link CloseReason#CONNECT_TIMEOUT}, {@link CloseReason#RESET} or {@link
     *     CloseReason#FAILED}; the length of the message and the limit, if it is {@link CloseReason#MESSAGE_TOO_LONG}; what broke
     *     the protocol, with the exception of the decoder as its cause, if the reason is {@link
     *     CloseReason#PROTOCOL_ERROR}; why TLS failed, if it is {@link CloseReason#HANDSHAKE_FAILED} or {@link CloseReason#TRUNCATED};
     *     what the source of a transfer has thrown, if it is {@link CloseReason#TRANSFER_FAILED};
     *     otherwise, and before that, null
     */
    @Override
    public @Nullable IOException failure() {
        return super.failure();
    }

    /**
     * Returns the server that the connection belongs to.
     *
     * @return the server, for instance to broadcast
     */
    public Server server() {
        return context.server();
    }

    /**
     * Returns the gauges of the connection's message queue.
     *
     * @return an object that reads the current values at each call
     */
    public MessageQueue queue() {
        return new MessageQueue(calls(), this);
    }

    /**
     * Returns the connection's state.
     *
     * @return the state
     */
    @Override
    public ConnectionState state() {
        return super.state();
    }

    /**
     * Returns a number that identifies the connection within its server. It is used again only after billions of connections.
     *
     * @return the number; -1 until the connect has started
     */
    public long id() {
        return LoopTrace.id(loop(), handle);
    }

    /**
     * Returns the index of the loop that serves the connection.
     *
     * @return from 0 to the server's number of loops, less 1
     */
    public int loop() {
        return calls().loopIndex();
    }

    /**
     * Returns the object that the application has attached.
     *
     * @return the object, or null
     */
    public @Nullable Object attachment() {
        return attachment;
    }

    /**
     * Attaches an object of the application.
     *
     * @param object the object, or null
     */
    public void attachment(@Nullable Object object) {
        attachment = object;
    }

    /** Returns a snapshot. */
    ConnectionSnapshot snapshot() {
        return calls().snapshot(this, id());
    }

    @Override
    public String toString() {
        InetSocketAddress address = cachedAddress();
        return (handle < 0 && address != null
                ? "connection to " + (UnixAddress.isUnix(address) ? address.getHostString() : address)
                : "connection " + Long.toHexString(id())) + " "
                + state();
    }

    // ---- the handler's callbacks

    @Override
    void callOpen() throws Exception {
        context.handler().onOpen(this);
    }

    @Override
    void callMessage(ByteBuffer message) throws Exception {
        context.handler().onMessage(this, message);
    }

    @Override
    void callPart(ByteBuffer part, boolean last) throws Exception {
        context.handler().onPart(this, part, last);
    }

    @Override
    void callUrgent(byte b) throws Exception {
        context.handler().onUrgent(this, b);
    }

    @Override
    void callEndOfInput() throws Exception {
        context.handler().onEndOfInput(this);
    }

    @Override
    void callDrained() throws Exception {
        context.handler().onDrained(this);
    }

    @Override
    void callDropped(DroppedMessages dropped) throws Exception {
        context.handler().onDropped(this, dropped.messages(), dropped.bytes());
    }

    @Override
    void callClose(CloseReason reason) throws Exception {
        context.handler().onClose(this, reason);
    }

    // ---- sessions

    @Override
    boolean hasSession() {
        return context.handler() instanceof SessionCallbacks;
    }

    @Override
    void callDelivered() {
        if (context.handler() instanceof SessionCallbacks session) {
            session.delivered();
        }
    }

    @Override
    void callSecured() {
        if (context.handler() instanceof SessionCallbacks session) {
            session.secured();
        }
    }

    @Override
    int unreadBySession() {
        return context.handler() instanceof SessionCallbacks session ? session.unreadBytes() : 0;
    }

    @Override
    long sessionBytes() {
        return context.handler() instanceof SessionCallbacks session ? session.heldBytes() : 0;
    }

    @Override
    void dropReceivedBySession() {
        if (context.handler() instanceof SessionCallbacks session) {
            session.dropReceived();
        }
    }

    @Override
    boolean callDrain() {
        return context.handler() instanceof SessionCallbacks session && session.drain();
    }
}
