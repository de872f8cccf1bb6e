package io.trivet.app;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.Charset;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/**
 * Standard error as a bounded queue of lines, which a thread of its own writes. Logging never waits: if the reader is slow or
 * stuck, lines that do not fit into the queue are dropped and counted, and a line says how many as soon as there is room.
 *
 * <p>A failed write drops its lines and counts them too: a server does not end because its log is not read. Characters that a
 * terminal obeys are replaced by {@code ?}.
 */
final class LogQueue extends OutputStream {
    static final int BYTES_MAX = 1 << 20;
    private static final int LINE_BYTES_MAX = 64 * 1024;
    private static final int BATCH_BYTES_MAX = 64 * 1024;
    /** How long {@link #awaitWritten} waits while nothing is written. */
    private static final long STUCK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    /** How long {@link #awaitWritten} waits in all. */
    private static final long FLUSH_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final OutputStream target;
    private final Charset charset;
    private final PrintableFilter filter;
    /** Guards all fields below; never held during a write. */
    private final Object lock = new Object();
    private final ArrayDeque<byte[]> lines = new ArrayDeque<>();
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private int queuedBytes;
    private long droppedLines;
    private long batches;
    private boolean writing;
    private boolean started;

    LogQueue(OutputStream target, Charset charset) {
        this.target = target;
        this.charset = charset;
        filter = new PrintableFilter(charset);
    }

    @Override
    public void write(int b) {
        write(new byte[]{(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int count) {
        synchronized (lock) {
            int from = offset;
            for (int i = offset; i < offset + count; i++) {
                if (bytes[i] == '\n' || line.size() + i - from >= LINE_BYTES_MAX) {
                    line.write(bytes, from, i + 1 - from);
                    from = i + 1;
                    endLine();
                }
            }
            line.write(bytes, from, offset + count - from);
        }
    }

    /** Queues an unfinished line; does not wait. */
    @Override
    public void flush() {
        synchronized (lock) {
            if (line.size() > 0) {
                endLine();
            }
        }
    }

    private void endLine() {
        byte[] ended = filter.filter(line.toByteArray());
        line.reset();
        if (queuedBytes + ended.length > BYTES_MAX) {
            droppedLines++;
            return;
        }
        if (droppedLines > 0) {
            add(droppedNotice());
        }
        add(ended);
        if (!started) {
            started = true;
            Thread thread = new Thread(this::writeLines, "standard-error");
            thread.setDaemon(true);
            thread.start();
        }
        lock.notifyAll();
    }

    private void add(byte[] queued) {
        lines.add(queued);
        queuedBytes += queued.length;
    }

    private byte[] droppedNotice() {
        String text = "... " + droppedLines + (droppedLines == 1 ? " line was" : " lines were")
                + " dropped here: standard error was not read in time, or could not be written\n";
        droppedLines = 0;
        return text.getBytes(charset);
    }

    private void writeLines() {
        ByteArrayOutputStream batch = new ByteArrayOutputStream();
        while (true) {
            int count = 0;
            synchronized (lock) {
                writing = false;
                batches++;
                lock.notifyAll();
                while (lines.isEmpty()) {
                    try {
                        lock.wait();
                    } catch (InterruptedException e) {
                        return; // nothing interrupts this thread
                    }
                }
                writing = true;
                while (!lines.isEmpty() && batch.size() + lines.getFirst().length <= BATCH_BYTES_MAX + LINE_BYTES_MAX) {
                    byte[] first = lines.removeFirst();
                    queuedBytes -= first.length;
                    batch.writeBytes(first);
                    count++;
                }
                if (lines.isEmpty() && droppedLines > 0) {
                    batch.writeBytes(droppedNotice());
                }
            }
            try {
                target.write(batch.toByteArray());
            } catch (IOException e) {
                failed(count);
            }
            batch.reset();
        }
    }

    private void failed(int count) {
        if (target instanceof StandardOutput output) {
            output.forget(); // a full disk may get room again
        }
        synchronized (lock) {
            droppedLines += count;
        }
    }

    /** Waits until everything is written. Gives up if nothing was written for half a second, or after five seconds. */
    void awaitWritten() {
        long end = System.nanoTime() + FLUSH_NANOS;
        synchronized (lock) {
            long seen = batches;
            long stuckAt = System.nanoTime() + STUCK_NANOS;
            while (!lines.isEmpty() || writing) {
                long now = System.nanoTime();
                if (batches != seen) {
                    seen = batches;
                    stuckAt = now + STUCK_NANOS;
                }
                long left = Math.min(end, stuckAt) - now;
                if (left <= 0) {
                    return;
                }
                try {
                    TimeUnit.NANOSECONDS.timedWait(lock, left);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }
}
