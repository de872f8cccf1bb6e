package io.trivet.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ReadableByteChannel;
import org.jspecify.annotations.Nullable;

/** The source of a transfer whose test decides how much each read returns, and how it ends. One thread at a time. */
final class ScriptedSource implements ReadableByteChannel {
    private final ByteBuffer content;
    private volatile int available;
    private final int bytesPerRead;
    private @Nullable Exception failure;
    private volatile boolean open = true;
    private volatile int reads;

    /** Creates a source of these bytes, which returns up to that many with each read. */
    ScriptedSource(byte[] bytes, int bytesPerRead) {
        content = ByteBuffer.wrap(bytes);
        available = bytes.length;
        this.bytesPerRead = bytesPerRead;
    }

    static ScriptedSource of(byte[] bytes) {
        return new ScriptedSource(bytes, Integer.MAX_VALUE);
    }

    static ScriptedSource of(String text) {
        return of(Client.bytes(text));
    }

    /** Makes the source return 0 after that many bytes, until it is called again. */
    ScriptedSource upTo(int bytes) {
        available = bytes;
        return this;
    }

    /** Makes the source throw after the bytes. */
    ScriptedSource thenThrows(Exception thrown) {
        failure = thrown;
        return this;
    }

    int reads() {
        return reads;
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // only the loop reads
    public int read(ByteBuffer into) throws IOException {
        if (!open) {
            throw new ClosedChannelException();
        }
        reads++;
        if (!content.hasRemaining()) {
            if (failure instanceof IOException io) {
                throw io;
            }
            if (failure instanceof RuntimeException runtime) {
                throw runtime;
            }
            return -1;
        }
        int count = Math.min(Math.min(into.remaining(), bytesPerRead), available - content.position());
        into.put(content.slice(content.position(), count));
        content.position(content.position() + count);
        return count;
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public void close() {
        open = false;
    }
}
