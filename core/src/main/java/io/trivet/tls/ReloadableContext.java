package io.trivet.tls;

import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The certificates and keys of TLS settings, loaded, and loaded again when their files have changed. Any thread. */
final class ReloadableContext {
    private final TlsContexts sources;
    private final Loader loader;
    /** Guarded by itself, as are reloads. */
    private final FileStamps stamps;
    /** Why the files could not be read at the last attempt. Guarded by {@link #stamps}. */
    private @Nullable String failure;
    private volatile LoadedContext current;

    /** Loads what settings need. */
    @FunctionalInterface
    interface Loader {
        LoadedContext load() throws IOException;
    }

    /** Loads the certificates and keys for the first time. */
    ReloadableContext(TlsContexts sources, Loader loader) throws IOException {
        this.sources = sources;
        this.loader = loader;
        stamps = new FileStamps(sources.files()); // before they are read: a change meanwhile is noticed later
        current = loader.load();
    }

    /** Returns what was loaded last. */
    LoadedContext current() {
        return current;
    }

    /** Reads the files again. */
    void reload() throws IOException {
        checkFiles();
        synchronized (stamps) {
            stamps.haveChanged(); // only notes the present state
            replace();
        }
    }

    /** Reads the files again if one has changed, or could not be used. Throws once for each reason. */
    boolean reloadIfChanged() throws IOException {
        checkFiles();
        synchronized (stamps) {
            boolean changed = stamps.haveChanged();
            String before = failure;
            if (!changed && before == null) {
                return false;
            }
            try {
                replace();
                return true;
            } catch (IOException e) {
                if (String.valueOf(e.getMessage()).equals(before)) {
                    return false;
                }
                throw e;
            }
        }
    }

    /** Starts to check the files repeatedly. */
    FileWatch watch(Duration interval, Consumer<? super @Nullable IOException> onReload) {
        checkFiles();
        return new FileWatch(this, interval, onReload);
    }

    private void replace() throws IOException {
        LoadedContext before = current;
        try {
            current = loader.load();
        } catch (IOException e) {
            failure = String.valueOf(e.getMessage());
            throw e;
        }
        failure = null;
        before.close();
    }

    private void checkFiles() {
        if (!sources.hasFiles()) {
            throw new IllegalStateException("these TLS settings have no file that could be read again");
        }
    }
}
