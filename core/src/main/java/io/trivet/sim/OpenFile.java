package io.trivet.sim;

import io.trivet.net.Interest;
import org.jspecify.annotations.Nullable;

/** What a descriptor's number stands for: something that can be ready. */
@SuppressWarnings("ReferenceEquality") // this very watcher
abstract class OpenFile {
    /** Who wants to know when the readiness of a file may have changed; a file has a list of them. */
    abstract static class Watcher {
        @Nullable Watcher nextOfFile;

        /** That much of it may have changed. Nothing may be called back from here: the file stands in the middle of something. */
        abstract void changed(int what);
    }

    static final int EVERYTHING = ~0;
    /** There is room for who was told that there was none: WRITE's edge (SOCK_NOSPACE). */
    static final int ROOM_AGAIN = 1 << 16;

    final Kernel kernel;
    private @Nullable Watcher watchers;

    OpenFile(Kernel kernel) {
        this.kernel = kernel;
    }

    /** Everything that holds now, as bits of {@link Interest}. */
    abstract int ready();

    /** Its last descriptor was closed. */
    abstract void release();

    /** Whether epoll refuses it. */
    boolean isRegular() {
        return false;
    }

    /** An option says otherwise how much room there is. */
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

    /** Tells everyone who watches. */
    final void changed() {
        changed(EVERYTHING);
    }

    /** Tells everyone who watches for any of these bits of {@link Interest} (Linux: the key of a wake-up). */
    final void changed(int what) {
        kernel.progress();
        for (Watcher each = watchers; each != null; each = each.nextOfFile) {
            each.changed(what);
        }
    }
}
