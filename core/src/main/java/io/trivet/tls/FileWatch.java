package io.trivet.tls;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reloads the certificates of a {@link TlsServer} or a {@link TlsClient} when their files have changed, until it is closed: see {@link
 * TlsServer#watchFiles} and {@link TlsClient#watchFiles}. Any thread.
 */
public final class FileWatch implements AutoCloseable {
    private static final System.Logger LOGGER = System.getLogger("io.trivet.tls");

    private final ReloadableContext context;
    private final Duration interval;
    private final Consumer<? super @Nullable IOException> onReload;
    private final Thread thread;

    /**
     * Starts to watch the files of a context.
     *
     * @throws IllegalArgumentException the interval is not positive
     */
    FileWatch(ReloadableContext context, Duration interval, Consumer<? super @Nullable IOException> onReload) {
        if (interval.isNegative() || interval.isZero()) {
            throw new IllegalArgumentException("the interval must be positive: " + interval);
        }
        this.context = context;
        this.interval = interval;
        this.onReload = Objects.requireNonNull(onReload, "onReload");
        thread = Thread.ofVirtual().name("trivet-certificates").start(this::watch);
    }

    private void watch() {
        try {
            while (true) {
                Thread.sleep(interval);
                check();
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    private void check() {
        try {
            try {
                if (context.reloadIfChanged()) {
                    onReload.accept(null);
                }
            } catch (IOException e) {
                onReload.accept(e);
            }
        } catch (RuntimeException e) { // of the application or of a provider of security: the watch continues
            LOGGER.log(Level.WARNING, "the check of the certificates' files has failed, and will be repeated: " + e, e);
        }
    }

    /** Ends the watch. Does not wait for a check that is in progress. */
    @Override
    public void close() {
        thread.interrupt();
    }
}
