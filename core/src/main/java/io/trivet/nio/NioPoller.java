package io.trivet.nio;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.Interest;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Registration;
import io.trivet.net.Socket;
import java.io.IOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A selector of java.nio as a level-triggered poller.
 *
 * <p>Who selects holds {@link #selecting}: the thread that polls, or for a moment one that has closed a socket. What somebody wants of
 * the selector while another holds it is left behind in a flag, and done by the holder when it lets go ({@link #tidy}).
 */
final class NioPoller implements Poller {
    private static final long NANOS_PER_MILLI = 1_000_000L;
    private static final int WAKE_TRIES_MAX = 16;
    /**
     * A select that gave no more keys than this has given all that are ready. The JDK takes up to 1,024 keys at once from epoll, and
     * from kqueue 256 events, two of which can be about one key; the kernel goes on with the others at the next select.
     */
    private static final int WHOLE_SELECT_MAX = 127;
    /** The most closed channels that may keep their descriptors until the next poll. */
    private static final int UNFLUSHED_MAX = 64;

    private final Selector selector;
    private final Consumer<SelectionKey> onReady = this::onReady;
    private final AtomicBoolean polling = new AtomicBoolean();
    private final ReentrantLock selecting = new ReentrantLock();
    private final AtomicBoolean woken = new AtomicBoolean();
    /** Whether a thread is polling, so that it may wait and must be woken. */
    private volatile boolean mayWait;
    private volatile boolean flushWanted;
    /** How many channels were closed since the last select, and whether that one found many ready. */
    private final AtomicInteger unflushed = new AtomicInteger();
    private volatile boolean crowded;
    private volatile boolean closed;
    private volatile boolean released;

    /** Who was ready: whose report is the longest ago stands first. Here begins what {@link #selecting} guards. */
    private final ArrayDeque<Watched> queue = new ArrayDeque<>();
    /** Whether the queue holds some that did not fit into the last caller's buffer. */
    private boolean overflow;
    /** Whose connect may have ended. */
    private final List<Watched> connecting = new ArrayList<>();
    /** The number of the last batch: what one or more selects of a poll gave. How many sockets it has, and whether it has all. */
    private int batch;
    private int found;
    private boolean whole;

    /** Those whose connect has failed: the selector has lost them, and they are ready for ever. Guarded by itself. */
    private final Set<Watched> failed = new LinkedHashSet<>();

    NioPoller(Selector selector) {
        this.selector = selector;
    }

    @Override
    public void register(Socket socket, int interest, long token) throws IOException {
        checkInterest(interest);
        checkOpen();
        if (!(socket instanceof NioSocket nio)) {
            throw new IllegalArgumentException(
                    socket + " belongs to the network " + socket.network().name() + ", this poller to java.nio");
        }
        nio.checkOpen();
        Watched watched = nio.enter(this);
        try {
            if (!watched.register(selector, interest, token)) {
                throw new IllegalArgumentException(socket + " is registered already");
            }
        } catch (ClosedSelectorException e) {
            nio.leave(this);
            throw closed(e);
        }
        if (nio.hasFailed()) {
            addFailed(watched);
            wake();
        }
    }

    @Override
    public void modify(Socket socket, int interest, long token) throws IOException {
        checkInterest(interest);
        checkOpen();
        Watched watched = entered(socket);
        if (!socket.isOpen() && watched.deregister()) {
            throw new ClosedSocketException(socket.toString());
        }
        if (!watched.modify(interest, token)) {
            throw notRegistered(socket);
        }
    }

    @Override
    public void deregister(Socket socket) throws IOException {
        checkOpen();
        Watched watched = entered(socket);
        if (!watched.deregister()) {
            throw notRegistered(socket);
        }
        synchronized (failed) {
            failed.remove(watched);
        }
    }

    @Override
    public @Nullable Registration registration(Socket socket) {
        Watched watched = socket instanceof NioSocket nio ? nio.watchedBy(this) : null;
        return watched == null ? null : watched.registration();
    }

    @Override
    public int poll(ReadyEvents out, long timeoutNanos) throws IOException {
        if (!polling.compareAndSet(false, true)) {
            throw new IllegalStateException("another thread is polling: one at a time");
        }
        selecting.lock(); // at most for a moment: somebody is closing a socket
        try {
            mayWait = true;
            out.clear();
            long begun = timeoutNanos > 0 ? System.nanoTime() : 0;
            long left = timeoutNanos;
            while (!pollOnce(out, left)) {
                left = timeoutNanos < 0 ? timeoutNanos : Math.max(0, timeoutNanos - (System.nanoTime() - begun));
            }
            return out.size();
        } finally {
            mayWait = false;
            selecting.unlock();
            polling.set(false);
            tidy();
        }
    }

    /** One select; whether the poll is over. */
    private boolean pollOnce(ReadyEvents out, long leftNanos) throws IOException {
        checkOpen();
        try {
            batch++;
            found = 0;
            int keys = select(woken.get() || overflow || isFailureWatched() ? 0 : leftNanos);
            crowded = keys > WHOLE_SELECT_MAX;
            whole = !crowded;
            while (!whole && found < out.capacity()) {
                int foundBefore = found;
                keys = selector.selectNow(onReady);
                whole = keys <= WHOLE_SELECT_MAX || found == foundBefore;
            }
        } catch (IOException e) {
            throw Failures.of("poll", null, e);
        }
        settleConnects();
        offerFailed();
        collect(out);
        checkOpen();
        return woken.getAndSet(false) || out.size() > 0 || leftNanos == 0 || Thread.currentThread().isInterrupted();
    }

    /** How many keys it gave. */
    private int select(long leftNanos) throws IOException {
        flushWanted = false; // every select flushes
        unflushed.set(0);
        if (leftNanos < 0) {
            return selector.select(onReady);
        }
        if (leftNanos == 0) {
            return selector.selectNow(onReady);
        }
        // Rounded up: 0 would mean without limit, and rounding down would make the loop spin.
        return selector.select(onReady, leftNanos / NANOS_PER_MILLI + (leftNanos % NANOS_PER_MILLI == 0 ? 0 : 1));
    }

    /** Called by a select for each ready key; on macOS once for reading and once for writing. */
    private void onReady(SelectionKey key) {
        int ops;
        try {
            ops = key.readyOps();
        } catch (CancelledKeyException e) {
            return; // closed by another thread, this moment
        }
        Watched watched = (Watched) key.attachment();
        if ((ops & SelectionKey.OP_CONNECT) != 0) {
            connecting.add(watched);
            offer(watched, 0);
        } else {
            offer(watched, ((ops & (SelectionKey.OP_READ | SelectionKey.OP_ACCEPT)) != 0 ? Interest.READ : 0)
                    | ((ops & SelectionKey.OP_WRITE) != 0 ? Interest.WRITE : 0));
        }
    }

    /** Whether those that can be connected are: a good one is writable from now on, a bad one is among the failed. */
    private void settleConnects() throws IOException {
        for (int i = 0; i < connecting.size(); i++) {
            Watched watched = connecting.get(i);
            if (watched.socket.advance()) {
                offer(watched, Interest.WRITE);
            }
        }
        connecting.clear();
    }

    private void offerFailed() {
        synchronized (failed) {
            if (!failed.isEmpty()) {
                failed.removeIf(watched -> !watched.socket.isOpen());
                for (Watched watched : failed) {
                    offer(watched, Interest.READ | Interest.WRITE);
                }
            }
        }
    }

    private boolean isFailureWatched() {
        synchronized (failed) {
            if (!failed.isEmpty()) {
                for (Watched watched : failed) {
                    if (watched.interest() != 0 && watched.socket.isOpen()) {
                        return true;
                    }
                }
            }
            return false;
        }
    }

    private void offer(Watched watched, int ready) {
        if (watched.batch == batch) {
            watched.ready |= ready;
        } else {
            watched.ready = ready;
            watched.batch = batch;
            found++;
        }
        if (!watched.queued) {
            watched.queued = true;
            queue.addLast(watched);
        }
    }

    /** Reports from the head of the queue, and lines up at its end again who was reported: each gets its turn. */
    private void collect(ReadyEvents out) {
        int left = queue.size();
        while (left > 0 && !out.isFull()) {
            left--;
            Watched watched = queue.removeFirst();
            // Where a batch may be a part only, one that is not in it may still be ready all the same.
            boolean current = watched.batch == batch || !whole;
            watched.queued = current && watched.ready != 0 && watched.report(out);
            watched.ready = 0;
            if (watched.queued) {
                queue.addLast(watched);
            }
        }
        overflow = left > 0;
    }

    @Override
    public void wakeup() {
        if (!woken.getAndSet(true) && mayWait) {
            wakeSelector();
        }
    }

    /** Makes a waiting select look at what has changed; the poll goes on. */
    void wake() {
        if (mayWait && !selecting.isHeldByCurrentThread()) {
            wakeSelector();
        }
    }

    /** A socket that is watched here has connected, or failed to. */
    void connectEnded(Watched watched) throws IOException {
        if (watched.socket.hasFailed()) {
            addFailed(watched); // java.nio has closed the channel
            flush();
        } else {
            watched.watch();
        }
        wake();
    }

    private void addFailed(Watched watched) {
        synchronized (failed) {
            failed.add(watched);
        }
    }

    /**
     * Makes the selector forget a channel that was closed, so that its descriptor goes: now, or in the thread that waits. Where many
     * are ready a select costs half a millisecond, too much for each of thousands that are closed at once: there some may be left for
     * the next poll.
     */
    void flush() throws IOException {
        if (unflushed.incrementAndGet() < UNFLUSHED_MAX && crowded && !mayWait) {
            return;
        }
        flushWanted = true;
        wake();
        tidy();
    }

    /** Does what was left behind for the holder of the selector, unless there is a new holder, who will. */
    private void tidy() throws IOException {
        while ((flushWanted || closed) && !released && selecting.tryLock()) {
            try {
                if (closed) {
                    release();
                } else {
                    flushWanted = false;
                    unflushed.set(0);
                    crowded = selector.selectNow(NioPoller::ignore) > WHOLE_SELECT_MAX;
                }
            } finally {
                selecting.unlock();
            }
        }
    }

    /** Ready, for a thread that did not ask: the next poll will see it again. */
    private static void ignore(SelectionKey ready) {}

    /** java.nio throws an Error when it cannot write to its eventfd, which a tracer or a sandbox may refuse once: then it does not count. */
    private void wakeSelector() {
        for (int tries = 1;; tries++) {
            try {
                selector.wakeup();
                return;
            } catch (InternalError e) {
                if (tries == WAKE_TRIES_MAX) {
                    throw e;
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        closed = true;
        wakeSelector();
        tidy();
    }

    private void release() throws IOException {
        if (!released) {
            released = true;
            for (SelectionKey key : selector.keys()) {
                ((Watched) key.attachment()).socket.leave(this);
            }
            synchronized (failed) {
                for (Watched watched : failed) {
                    watched.socket.leave(this);
                }
                failed.clear();
            }
            selector.close();
        }
    }

    private Watched entered(Socket socket) {
        Watched watched = socket instanceof NioSocket nio ? nio.watchedBy(this) : null;
        if (watched == null) {
            throw notRegistered(socket);
        }
        return watched;
    }

    private static IllegalArgumentException notRegistered(Socket socket) {
        return new IllegalArgumentException(socket + " is not registered");
    }

    private static void checkInterest(int interest) {
        if ((Interest.check(interest) & Interest.PRIORITY) != 0) {
            throw new UnsupportedOperationException("java.nio cannot watch for urgent data: " + NioNetwork.LINUX_CAN);
        }
    }

    private void checkOpen() {
        if (closed) {
            throw closed(null);
        }
    }

    private static IllegalStateException closed(@Nullable Exception cause) {
        return new IllegalStateException("the poller is closed", cause);
    }
}
