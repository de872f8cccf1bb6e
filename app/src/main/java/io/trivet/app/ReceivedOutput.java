package io.trivet.app;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Prints received bytes to standard output. With one connection, they are printed as they arrive and unchanged; on a terminal,
 * what it could obey is replaced. With several connections, each prints lines {@code host:port "text"} with the text escaped.
 *
 * <p>A thread of its own writes, so that a slow reader does not stop the loop. If {@value #QUEUE_HIGH_BYTES} bytes wait for the
 * reader, the client stops reading from the server until {@value #QUEUE_LOW_BYTES} are left.
 */
final class ReceivedOutput {
    private static final int QUEUE_HIGH_BYTES = 256 * 1024;
    private static final int QUEUE_LOW_BYTES = 64 * 1024;

    private final Client client;
    private final OutputStream out;
    private final boolean single;
    private final boolean terminal = Terminal.isOutput();
    private final PrintableFilter filter;
    private boolean midLine;

    /** Guards all fields below; never held during a write. */
    private final Object lock = new Object();
    private final ArrayDeque<byte[]> queue = new ArrayDeque<>();
    /** Includes the bytes that are being written. */
    private int queuedBytes;
    private boolean paused;
    private @Nullable IOException failure;

    ReceivedOutput(Client client, OutputStream out, Charset charset, boolean single) {
        this.client = client;
        this.out = out;
        this.single = single;
        filter = new PrintableFilter(charset);
        Thread thread = new Thread(this::writeQueue, "standard-output");
        thread.setDaemon(true); // a write to a pipe blocks until its reader reads
        thread.start();
    }

    /** Prints bytes as they arrive; does nothing with several connections. */
    void write(ByteBuffer bytes) {
        if (!single) {
            return;
        }
        byte[] part = new byte[bytes.remaining()];
        bytes.get(bytes.position(), part);
        part = terminal ? filter.filter(part) : part;
        midLine = part.length == 0 ? midLine : part[part.length - 1] != '\n';
        add(part);
    }

    /** Prints the bytes of one of several connections as a line; does nothing with a single connection. */
    void printLine(String name, ByteBuffer bytes) {
        if (!single) {
            add((name + " \"" + EscapedText.ofAll(bytes) + "\"" + System.lineSeparator()).getBytes(StandardCharsets.US_ASCII));
        }
    }

    /** Ends an unfinished line on a terminal, so that the shell's prompt starts on its own line. */
    void endLine() {
        if (single && terminal && midLine) {
            midLine = false;
            add(System.lineSeparator().getBytes(StandardCharsets.US_ASCII));
        }
    }

    /** Returns whether the reader of standard output is so slow that the client does not read from the server. */
    boolean isBlocked() {
        synchronized (lock) {
            return paused;
        }
    }

    /** Returns whether standard output can no longer be written. */
    boolean hasFailed() {
        synchronized (lock) {
            return failure != null;
        }
    }

    /** Throws if standard output can no longer be written. */
    void check() throws IOException {
        synchronized (lock) {
            if (failure != null) {
                throw failure;
            }
        }
    }

    /**
     * Ends the last line and waits until everything is written.
     *
     * @param timeout the longest wait; null waits as long as there is a reader
     * @throws IOException not everything could be written
     */
    void finish(@Nullable Duration timeout) throws IOException {
        endLine();
        long end = System.nanoTime() + (timeout == null ? 0 : timeout.toNanos());
        synchronized (lock) {
            while (queuedBytes > 0 && failure == null) {
                long left = timeout == null ? TimeUnit.HOURS.toNanos(1) : end - System.nanoTime();
                if (left <= 0) {
                    throw new IOException("standard output: " + queuedBytes + " bytes were not read within --wait");
                }
                try {
                    TimeUnit.NANOSECONDS.timedWait(lock, left);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IOException("interrupted", e);
                }
            }
        }
        check();
    }

    private void add(byte[] bytes) {
        synchronized (lock) {
            if (failure != null || bytes.length == 0) {
                return;
            }
            queue.add(bytes);
            queuedBytes += bytes.length;
            lock.notifyAll();
            if (queuedBytes < QUEUE_HIGH_BYTES || paused) {
                return;
            }
            paused = true;
        }
        client.pauseReading();
    }

    private void writeQueue() {
        while (true) {
            byte[] bytes;
            synchronized (lock) {
                while (queue.isEmpty()) {
                    try {
                        lock.wait();
                    } catch (InterruptedException e) {
                        return; // nothing interrupts this thread
                    }
                }
                bytes = queue.removeFirst();
            }
            try {
                out.write(bytes);
                out.flush();
                written(bytes.length);
            } catch (IOException e) {
                synchronized (lock) {
                    failure = e;
                    queue.clear();
                    lock.notifyAll();
                }
                client.execute(() -> {}); // wakes the loop
                return;
            }
        }
    }

    private void written(int count) {
        synchronized (lock) {
            queuedBytes -= count;
            lock.notifyAll();
            if (!paused || queuedBytes > QUEUE_LOW_BYTES) {
                return;
            }
        }
        client.execute(this::resume);
    }

    private void resume() {
        synchronized (lock) {
            if (!paused) {
                return;
            }
            paused = false;
        }
        client.resumeReading();
    }
}
