package io.trivet.sim;

import io.trivet.net.Interest;
import org.jspecify.annotations.Nullable;

/** An open file or socket inside the simulated kernel, to which a descriptor refers. Reports whether it is ready. */
@SuppressWarnings("ReferenceEquality") // watchers are compared by identity
abstract class OpenFile {
    /** Notified when the readiness of a file may have changed. The watchers of a file form a list. */
    abstract static class Watcher {
        @Nullable Watcher nextOfFile;

        /**
         * Called when the readiness may have changed. The file is in the middle of an operation, so this must not call back into
         * it.
         *
         * @param what bits of {@link Interest}, {@link #ROOM_AGAIN}, or {@link #EVERYTHING}
         */
        abstract void changed(int what);
    }

    static final int EVERYTHING = ~0;
    /** There is room again after a caller found none (SOCK_NOSPACE): WRITE changes from false to true. */
    static final int ROOM_AGAIN = 1 << 16;

    final Kernel kernel;
    private @Nullable Watcher watchers;

    OpenFile(Kernel kernel) {
        this.kernel = kernel;
    }

    /** Returns the current readiness, as bits of {@link Interest}. */
    abstract int ready();

    /** Called when the last descriptor of the file is closed. */
    abstract void release();

    /** Returns whether this is a regular file, which epoll refuses. */
    boolean isRegular() {
        return false;
    }

    /** Called when an option has changed how much room there is. */
    void roomHasChanged() {
        changed(Interest.WRITE | ROOM_AGAIN);
    }

    final void watch(Watcher watcher) {
        watcher.nextOfFile = watchers;
        watchers = watcher;
    }

    final void unwatch(Watcher watcher) {
        Watcher before = null;
        for (Watcher each = watchers; each != null; each = each.nextOfFile) {
            if (each == watcher) {
                if (before == null) {
                    watchers = each.nextOfFile;
                } else {
                    before.nextOfFile = each.nextOfFile;
                }
                each.nextOfFile = null;
                return;
            }
            before = each;
        }
    }

    /** Notifies the watchers that any part of the readiness may have changed. */
    final void changed() {
        changed(EVERYTHING);
    }

    /** Notifies the watchers that these bits of {@link Interest} may have changed (in Linux, the key of a wake-up). */
    final void changed(int what) {
        kernel.progress();
        for (Watcher each = watchers; each != null; each = each.nextOfFile) {
            each.changed(what);
        }
    }
}
