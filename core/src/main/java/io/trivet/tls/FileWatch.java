package io.trivet.tls;

import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reloads the certificates of a {@link TlsServer} when their files have changed, until it is closed: see {@link
 * TlsServer#watchFiles}. Any thread.
 */
public final class FileWatch implements AutoCloseable {
    private final TlsServer server;
    private final Duration interval;
    private final Consumer<? super @Nullable IOException> onReload;
    private final Thread thread;

    /**
     * Starts to watch the files of a server.
     *
     * @throws IllegalArgumentException the interval is not positive
     */
    FileWatch(TlsServer server, Duration interval, Consumer<? super @Nullable IOException> onReload) {
        if (interval.isNegative() || interval.isZero()) {
            throw new IllegalArgumentException("the interval must be positive: " + interval);
        }
        this.server = server;
        this.interval = interval;
        this.onReload = Objects.requireNonNull(onReload, "onReload");
        thread = Thread.ofVirtual().name("trivet-certificates").start(this::watch);
    }

    private void watch() {
        try {
            while (true) {
                Thread.sleep(interval);
                look();
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    private void look() {
        try {
            if (server.reloadIfChanged()) {
                onReload.accept(null);
            }
        } catch (IOException e) {
            onReload.accept(e);
        }
    }

    /** Ends the watch. Does not wait for a look that is in progress. */
    @Override
    public void close() {
        thread.interrupt();
    }
}
