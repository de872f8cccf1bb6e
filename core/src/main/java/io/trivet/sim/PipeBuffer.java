package io.trivet.sim;

import io.trivet.net.Interest;
import java.nio.ByteBuffer;

/**
 * The content of a pipe: up to sixteen pages, as on Linux (fs/pipe.c). A page is freed when it has been read to its end. A write
 * that does not fit into the rest of the last page starts a new page.
 */
final class PipeBuffer {
    private static final int PAGE_BYTES = 4096;
    private static final int PAGES = 16;

    final End source;
    final End sink;
    private byte[] bytes = new byte[0];
    private final int[] begins = new int[PAGES];
    private final int[] ends = new int[PAGES];
    /** The number of pages written so far, and of pages read to their end. */
    private int head;
    private int tail;
    private boolean sourceClosed;
    private boolean sinkClosed;

    PipeBuffer(Kernel kernel) {
        source = new End(kernel, true);
        sink = new End(kernel, false);
    }

    /** The file that the descriptor of one end refers to. */
    final class End extends OpenFile {
        private final boolean isSource;

        End(Kernel kernel, boolean isSource) {
            super(kernel);
            this.isSource = isSource;
        }

        @Override
        int ready() {
            if (isSource) {
                return (head != tail ? Interest.READ : 0) | (sinkClosed ? Interest.HANG_UP : 0);
            }
            return (head - tail < PAGES ? Interest.WRITE : 0) | (sourceClosed ? Interest.ERROR : 0);
        }

        boolean isSource() {
            return isSource;
        }

        PipeBuffer pipe() {
            return PipeBuffer.this;
        }

        @Override
        void release() {
            if (isSource) {
                sourceClosed = true;
                sink.changed();
            } else {
                sinkClosed = true;
                source.changed();
            }
        }

        @Override
        public String toString() {
            return isSource ? "source of a pipe" : "sink of a pipe";
        }
    }

    boolean isEmpty() {
        return head == tail;
    }

    boolean isSinkClosed() {
        return sinkClosed;
    }

    boolean isSourceClosed() {
        return sourceClosed;
    }

    int read(ByteBuffer target) {
        int before = target.position();
        while (head != tail && target.hasRemaining()) {
            int page = tail % PAGES;
            int count = Math.min(target.remaining(), ends[page] - begins[page]);
            target.put(bytes, page * PAGE_BYTES + begins[page], count);
            begins[page] += count;
            if (begins[page] == ends[page]) {
                tail++;
            }
        }
        sink.changed();
        return target.position() - before;
    }

    /** Writes as many of a buffer's remaining bytes as fit. Returns the number of bytes written. */
    int write(ByteBuffer from) {
        if (bytes.length == 0) {
            bytes = new byte[PAGES * PAGE_BYTES];
        }
        int before = from.position();
        int rest = from.remaining() % PAGE_BYTES;
        if (rest > 0 && head != tail) {
            int page = (head - 1) % PAGES;
            if (ends[page] + rest <= PAGE_BYTES) {
                from.get(bytes, page * PAGE_BYTES + ends[page], rest);
                ends[page] += rest;
            }
        }
        while (from.hasRemaining() && head - tail < PAGES) {
            int page = head++ % PAGES;
            int count = Math.min(PAGE_BYTES, from.remaining());
            from.get(bytes, page * PAGE_BYTES, count);
            begins[page] = 0;
            ends[page] = count;
        }
        source.changed();
        return from.position() - before;
    }
}
