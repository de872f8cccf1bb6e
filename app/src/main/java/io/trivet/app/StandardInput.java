package io.trivet.app;

import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Standard input, read by a thread of its own, as a loop of sockets cannot wait for it on every system; what it reads comes to the loop
 * as a task. It reads only when asked for more.
 */
final class StandardInput {
    /** Told on the loop. */
    interface Reader {
        void typed(byte[] bytes);

        /** There is nothing more; and why, if it is not the end. */
        void inputEnded(@Nullable IOException failure);
    }

    private static final int BYTES_MAX = 64 * 1024;

    private final Executor loop;
    private final Reader reader;
    private final Semaphore asked = new Semaphore(0);
    private boolean waiting;

    StandardInput(Executor loop, Reader reader) {
        this.loop = loop;
        this.reader = reader;
        Thread thread = new Thread(this::read, "standard-input");
        thread.setDaemon(true); // a read of a terminal ends when somebody types
        thread.start();
    }

    /** Asks for what comes next, unless that was done already. On the loop. */
    void ask() {
        if (!waiting) {
            waiting = true;
            asked.release();
        }
    }

    private void read() {
        byte[] memory = new byte[BYTES_MAX];
        try {
            while (true) {
                asked.acquireUninterruptibly();
                int count = System.in.read(memory);
                if (count < 0) {
                    loop.execute(() -> reader.inputEnded(null));
                    return;
                }
                byte[] bytes = Arrays.copyOf(memory, count);
                loop.execute(() -> {
                    waiting = false;
                    reader.typed(bytes);
                });
            }
        } catch (IOException e) {
            loop.execute(() -> reader.inputEnded(e));
        } catch (RejectedExecutionException e) {
            // The loop has ended, and nobody needs it any more.
        }
    }
}
