package io.trivet.app;

import io.trivet.net.Interest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Reads standard input on a thread of its own, because not every engine can wait for it together with sockets. Delivers each read
 * as a task on the loop, and reads only on request. If the descriptor is non-blocking, because another process shares it, waits
 * for input.
 */
final class StandardInput {
    /** Callbacks on the loop. */
    interface Reader {
        void onInput(byte[] bytes);

        /**
         * Called once, when nothing more will be read.
         *
         * @param failure why reading failed; null at the end of input
         */
        void onInputEnd(@Nullable IOException failure);
    }

    private static final int BYTES_MAX = 64 * 1024;

    private final Executor loop;
    private final Reader reader;
    private final Semaphore requests = new Semaphore(0);
    /** A read was requested and has not been delivered. Loop thread only. */
    private boolean requested;

    StandardInput(Executor loop, Reader reader) {
        this.loop = loop;
        this.reader = reader;
        Thread thread = new Thread(this::read, "standard-input");
        thread.setDaemon(true); // a read from a terminal blocks until something is typed
        thread.start();
    }

    /** Requests one read, unless one is pending. Call on the loop. */
    void requestRead() {
        if (!requested) {
            requested = true;
            requests.release();
        }
    }

    private void read() {
        FileChannel input = StandardOutput.input();
        ByteBuffer buffer = ByteBuffer.allocate(BYTES_MAX);
        try {
            while (true) {
                requests.acquireUninterruptibly();
                int count = input.read(buffer.clear());
                while (count == 0) { // EAGAIN: a FileInputStream would throw
                    StandardOutput.await(0, Interest.READ);
                    count = input.read(buffer.clear());
                }
                if (count < 0) {
                    loop.execute(() -> reader.onInputEnd(null));
                    return;
                }
                byte[] bytes = Arrays.copyOf(buffer.array(), count);
                loop.execute(() -> {
                    requested = false;
                    reader.onInput(bytes);
                });
            }
        } catch (IOException e) {
            IOException named = new IOException("standard input: " + e.getMessage(), e);
            loop.execute(() -> reader.onInputEnd(named));
        } catch (RejectedExecutionException e) {
            // The loop has ended: the input is no longer needed.
        }
    }
}
