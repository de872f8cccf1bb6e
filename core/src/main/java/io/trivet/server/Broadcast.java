package io.trivet.server;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A message on its way to every connection of a server. It is held once for all connections that put the same frame around it.
 * Any thread.
 */
final class Broadcast {
    /** The message in the frame of one writer. */
    private record Framed(FrameWriter writer, SharedMessage message) {}

    private final Budget budget;
    private final SharedBuffers buffers;
    private final FrameWriter firstWriter;
    private final SharedMessage first;
    private final ByteBuffer content;
    private final List<Framed> others = new ArrayList<>();
    private final AtomicInteger holders = new AtomicInteger(1);

    /**
     * Creates a broadcast. The caller is its first holder.
     *
     * @param writer puts the frame around the message that most connections get
     * @param content the message without its frame; copied, its position moves to its limit
     * @throws IllegalArgumentException the frame cannot hold the message
     */
    Broadcast(Budget budget, SharedBuffers buffers, FrameWriter writer, ByteBuffer content) {
        this.budget = budget;
        this.buffers = buffers;
        firstWriter = writer;
        int length = content.remaining();
        ByteBuffer framed = writer.frame(content, buffers::acquire);
        this.content = framed.slice(framed.limit() - writer.tail().length - length, length);
        first = new SharedMessage(budget, buffers, framed);
    }

    /**
     * Returns the message in the frame of a writer. The caller must hold the broadcast.
     *
     * @throws RuntimeException the frame cannot hold the message, or the encoder failed
     */
    SharedMessage framed(FrameWriter writer) {
        return writer.writesLike(firstWriter) ? first : framedOtherwise(writer);
    }

    private synchronized SharedMessage framedOtherwise(FrameWriter writer) {
        for (Framed framed : others) {
            if (framed.writer.writesLike(writer)) {
                return framed.message;
            }
        }
        SharedMessage message = new SharedMessage(budget, buffers, writer.frame(content.duplicate(), buffers::acquire));
        others.add(new Framed(writer, message));
        return message;
    }

    /** Adds a holder. The caller must be one already. */
    void retain() {
        holders.incrementAndGet();
    }

    /** Removes a holder. After the last one, only the queues of connections hold the message. */
    synchronized void release() {
        if (holders.decrementAndGet() == 0) {
            first.release();
            others.forEach(framed -> framed.message.release());
        }
    }
}
