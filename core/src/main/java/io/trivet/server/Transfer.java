package io.trivet.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A streamed message: its source, and how far it has been sent. At most one piece of it is in memory. Loop thread only, once it was
 * queued.
 */
final class Transfer {
    /** Called once, when the transfer has ended. */
    interface Completion {
        /**
         * Called when the transfer has ended.
         *
         * @param bytes the number of bytes that were sent
         * @param failure null if all bytes were sent
         */
        void done(long bytes, @Nullable IOException failure) throws Exception;
    }

    /** The source of a message in memory. */
    private static final TransferSource NONE = new TransferSource() {
        @Override
        public int read(ByteBuffer free, long at) {
            return -1;
        }

        @Override
        public void close() {}
    };

    final TransferSource source;
    final Completion completion;
    /** The length in bytes; -1: until the source ends. */
    private final long count;
    private long sent;
    /** The bytes of the queue that are reserved for it, apart from the piece. */
    private int reserved;
    /** The messages that were accepted before it and have to be sent first. */
    private @Nullable SendQueue before;
    /** The bytes that were read and not sent yet; null: none. */
    private @Nullable ByteBuffer piece;
    /** The maximum number of bytes of the piece, which count in the queue. */
    private int pieceBytes;
    /** The source had nothing when it was last read. The application continues the transfer. */
    boolean awaitsSource;
    /** The kernel cannot send from this source by itself: it has to be read. */
    boolean isRead;
    /** This is a message in memory: the piece is the whole message. */
    private boolean isMessage;
    private boolean ended;
    /** Why the transfer was cut. */
    private @Nullable IOException failure;

    /** Creates a message in memory, which needs no source. The buffer holds it in its frame. */
    Transfer(ByteBuffer framed, Completion completion) {
        this(NONE, framed.remaining(), completion);
        piece = framed;
        isRead = true;
        isMessage = true;
    }

    Transfer(TransferSource source, long count, Completion completion) {
        this.source = source;
        this.count = count;
        this.completion = completion;
    }

    int reserved() {
        return reserved;
    }

    void reserved(int bytes) {
        reserved = bytes;
    }

    @Nullable
    SendQueue before() {
        return before;
    }

    void before(@Nullable SendQueue queue) {
        before = queue;
    }

    /** Returns the piece in memory, or null. */
    @Nullable
    ByteBuffer piece() {
        return piece;
    }

    /** Returns true if this is a message in memory: the piece is the whole message, and belongs to no pool. */
    boolean isMessage() {
        return isMessage;
    }

    int pieceBytes() {
        return pieceBytes;
    }

    /** Sets the piece, of which up to the given number of bytes are used; null: there is none. */
    void piece(@Nullable ByteBuffer buffer, int bytes) {
        piece = buffer;
        pieceBytes = bytes;
    }

    /** Returns true if it has ended and is no longer in the queue. */
    boolean hasEnded() {
        return ended;
    }

    void end() {
        ended = true;
    }

    /** Returns the number of bytes that were sent. */
    long sent() {
        return sent;
    }

    void sent(long bytes) {
        sent += bytes;
    }

    /** Returns the number of bytes that are left to be sent; {@link Long#MAX_VALUE}: until the source ends. */
    long left() {
        return count < 0 ? Long.MAX_VALUE : count - sent;
    }

    /** Returns true if the end of the source is the end of the transfer. */
    boolean endsWithSource() {
        return count < 0;
    }

    @Nullable
    IOException failure() {
        return failure;
    }

    void fail(IOException cause) {
        failure = cause;
    }

    /** Returns the memory that the transfer and the messages before it take, in bytes. */
    long heldBytes() {
        ByteBuffer read = piece;
        SendQueue earlier = before;
        return (read == null ? 0 : read.capacity()) + (earlier == null ? 0 : earlier.heldBytes());
    }
}
