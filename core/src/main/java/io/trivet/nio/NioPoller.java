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
 * A level-triggered poller on a {@link Selector}. The methods are in the same order as in the Linux pollers.
 *
 * <p>A thread that selects holds {@link #selectorLock}: the polling thread, or for a moment a thread that closes a socket. What another
 * thread needs from the selector meanwhile (a flush of closed channels, the release) is marked pending, and the holder does it when it
 * releases the lock: see {@link #runPending}.
 */
final class NioPoller implements Poller {
    private static final long NANOS_PER_MILLI = 1_000_000L;
    private static final int WAKEUP_ATTEMPTS_MAX = 16;
    /**
     * Maximum number of keys returned by a select that is known to have returned all ready keys. The JDK takes up to 1,024 events at
     * once from epoll, and 256 from kqueue, where two events can belong to one key. With more, the kernel returns others in the next
     * select.
     */
    private static final int COMPLETE_SELECT_KEYS_MAX = 127;
    /** Maximum number of closed channels that may keep their descriptors until the next poll. */
    private static final int UNFLUSHED_MAX = 64;

    private final Selector selector;
    private final Consumer<SelectionKey> onReady = this::onReady;
    private final AtomicBoolean polling = new AtomicBoolean();
    private final ReentrantLock selectorLock = new ReentrantLock();
    private final AtomicBoolean wakeupPending = new AtomicBoolean();
    /** True while a thread is in {@link #poll}: it may block, and must be woken to see a change. */
    private volatile boolean mayBlock;
    private volatile boolean flushPending;
    /** The number of channels closed since the last select. */
    private final AtomicInteger unflushed = new AtomicInteger();
    /** True if the last select returned many keys, which makes a flush expensive. */
    private volatile boolean manyReady;
    private volatile boolean closed;
    private volatile boolean released;

    /** Guarded by {@link #selectorLock}. */
    private final ReadyQueue readyQueue = new ReadyQueue();
    /** Entries whose connect may have ended. Guarded by {@link #selectorLock}. */
    private final List<PollerEntry> connecting = new ArrayList<>();
    /**
     * Entries whose connect has failed. They stay ready until they are deregistered, although the selector has dropped them. Guarded by
     * its own monitor.
     */
    private final Set<PollerEntry> failedConnects = new LinkedHashSet<>();

    NioPoller(Selector selector) {
        this.selector = selector;
    }

    @Override
    public void register(Socket socket, int interest, long token) throws IOException {
        checkInterest(interest);
        checkOpen();
        NioSocket nio = nio(socket);
        nio.checkOpen();
        PollerEntry entry = nio.addEntry(this);
        try {
            if (!entry.register(selector, interest, token)) {
                throw new IllegalArgumentException(socket + " is registered already");
            }
        } catch (ClosedSelectorException e) {
            nio.removeEntry(this);
            throw closed(e);
        }
        if (nio.hasConnectFailed()) {
            addFailedConnect(entry);
            wakeForChange();
        }
    }

    @Override
    public void modify(Socket socket, int interest, long token) throws IOException {
        checkInterest(interest);
        checkOpen();
        PollerEntry entry = registered(socket);
        if (!socket.isOpen() && entry.deregister()) {
            throw new ClosedSocketException(socket.toString());
        }
        if (!entry.modify(interest, token)) {
            throw notRegistered(socket);
        }
    }

    @Override
    public void deregister(Socket socket) throws IOException {
        checkOpen();
        PollerEntry entry = registered(socket);
        if (!entry.deregister()) {
            throw notRegistered(socket);
        }
        synchronized (failedConnects) {
            failedConnects.remove(entry);
        }
    }

    @Override
    public @Nullable Registration registration(Socket socket) {
        PollerEntry entry = socket instanceof NioSocket nio ? nio.entry(this) : null;
        return entry == null ? null : entry.registration();
    }

    @Override
    public int poll(ReadyEvents out, long timeoutNanos) throws IOException {
        if (!polling.compareAndSet(false, true)) {
            throw new IllegalStateException("another thread is polling: one at a time");
        }
        selectorLock.lock(); // held by another thread at most for a moment, while it closes a socket
        try {
            mayBlock = true;
            out.clear();
            long start = timeoutNanos > 0 ? System.nanoTime() : 0;
            long left = timeoutNanos;
            while (!pollOnce(out, left)) {
                left = timeoutNanos < 0 ? timeoutNanos : Math.max(0, timeoutNanos - (System.nanoTime() - start));
            }
            return out.size();
        } finally {
            mayBlock = false;
            selectorLock.unlock();
            polling.set(false);
            runPending();
        }
    }

    /** Waits once. Returns whether the poll is finished. */
    private boolean pollOnce(ReadyEvents out, long leftNanos) throws IOException {
        checkOpen();
        boolean ready = wakeupPending.get() || readyQueue.hasOverflowed() || hasWatchedFailure();
        boolean complete = await(out.capacity(), ready ? 0 : leftNanos);
        collect(complete, out);
        checkOpen();
        return wakeupPending.getAndSet(false) || out.size() > 0 || leftNanos == 0 || Thread.currentThread().isInterrupted();
    }

    @Override
    public void wakeup() {
        if (!wakeupPending.getAndSet(true) && mayBlock) {
            wakeSelector();
        }
    }

    @Override
    public void close() throws IOException {
        closed = true;
        wakeSelector();
        runPending();
    }

    // The four steps of an engine. The first, watch, is PollerEntry.updateKey.

    /** Selects until {@code capacity} entries or all that are ready have been found. Returns whether it has found all. */
    private boolean await(int capacity, long timeoutNanos) throws IOException {
        readyQueue.startBatch();
        try {
            int keys = select(timeoutNanos);
            manyReady = keys > COMPLETE_SELECT_KEYS_MAX;
            boolean complete = !manyReady;
            while (!complete && readyQueue.found() < capacity) {
                int foundBefore = readyQueue.found();
                keys = selector.selectNow(onReady);
                complete = keys <= COMPLETE_SELECT_KEYS_MAX || readyQueue.found() == foundBefore;
            }
            return complete;
        } catch (IOException e) {
            throw NioErrors.failure("poll", null, e);
        }
    }

    /** Adds the events found by the selects, including those of connects that have ended, to the caller's buffer. */
    private void collect(boolean complete, ReadyEvents out) throws IOException {
        completeConnects();
        addFailedConnects();
        readyQueue.collect(out, complete);
    }

    /** Closes the selector and removes this poller's entries from the sockets. */
    private void release() throws IOException {
        if (!released) {
            released = true;
            for (SelectionKey key : selector.keys()) {
                ((PollerEntry) key.attachment()).socket.removeEntry(this);
            }
            synchronized (failedConnects) {
                for (PollerEntry entry : failedConnects) {
                    entry.socket.removeEntry(this);
                }
                failedConnects.clear();
            }
            selector.close();
        }
    }

    // The selector.

    /** Returns the number of keys that the selector has passed to {@link #onReady}. */
    private int select(long timeoutNanos) throws IOException {
        flushPending = false; // every select flushes
        unflushed.set(0);
        if (timeoutNanos < 0) {
            return selector.select(onReady);
        }
        if (timeoutNanos == 0) {
            return selector.selectNow(onReady);
        }
        // Rounded up: 0 would wait without limit, and rounding down would make the loop spin.
        return selector.select(onReady, timeoutNanos / NANOS_PER_MILLI + (timeoutNanos % NANOS_PER_MILLI == 0 ? 0 : 1));
    }

    /** Called by a select for each ready key; on macOS possibly twice, for reading and for writing. */
    private void onReady(SelectionKey key) {
        int ops;
        try {
            ops = key.readyOps();
        } catch (CancelledKeyException e) {
            return; // closed by another thread just now
        }
        PollerEntry entry = (PollerEntry) key.attachment();
        if ((ops & SelectionKey.OP_CONNECT) != 0) {
            connecting.add(entry);
            readyQueue.add(entry, 0);
        } else {
            readyQueue.add(entry, ((ops & (SelectionKey.OP_READ | SelectionKey.OP_ACCEPT)) != 0 ? Interest.READ : 0)
                    | ((ops & SelectionKey.OP_WRITE) != 0 ? Interest.WRITE : 0));
        }
    }

    /** Interrupts a blocked select, so that the next one sees changed interests. The poll continues. */
    void wakeForChange() {
        if (mayBlock && !selectorLock.isHeldByCurrentThread()) {
            wakeSelector();
        }
    }

    /**
     * Wakes the selector. java.nio throws an Error if it cannot write to its eventfd, which a tracer or a sandbox may refuse once.
     * Therefore this method tries again.
     */
    private void wakeSelector() {
        for (int attempt = 1;; attempt++) {
            try {
                selector.wakeup();
                return;
            } catch (InternalError e) {
                if (attempt == WAKEUP_ATTEMPTS_MAX) {
                    throw e;
                }
            }
        }
    }

    /**
     * Makes the selector drop closed channels, which releases their descriptors: now, or in the thread that is waiting. If many sockets
     * are ready, a select takes half a millisecond, too long for each of thousands of sockets closed together. Then up to
     * {@link #UNFLUSHED_MAX} closed channels are left for the next poll.
     */
    void flushClosed() throws IOException {
        if (unflushed.incrementAndGet() < UNFLUSHED_MAX && manyReady && !mayBlock) {
            return;
        }
        flushPending = true;
        wakeForChange();
        runPending();
    }

    /** Flushes or releases the selector if that is pending, unless another thread holds the lock: that thread will do it. */
    private void runPending() throws IOException {
        while ((flushPending || closed) && !released && selectorLock.tryLock()) {
            try {
                if (closed) {
                    release();
                } else {
                    flushPending = false;
                    unflushed.set(0);
                    manyReady = selector.selectNow(NioPoller::ignore) > COMPLETE_SELECT_KEYS_MAX;
                }
            } finally {
                selectorLock.unlock();
            }
        }
    }

    /** Ignores a ready key: the next poll will find it again. */
    private static void ignore(SelectionKey ready) {}

    // Connects.

    /** Called when a registered socket has connected, or has failed to. */
    void connectEnded(PollerEntry entry) throws IOException {
        if (entry.socket.hasConnectFailed()) {
            addFailedConnect(entry); // java.nio has closed the channel
            flushClosed();
        } else {
            entry.updateKey();
        }
        wakeForChange();
    }

    /** Completes the connects found by a select: a connected socket is writable from now on, a failed one joins the failed connects. */
    private void completeConnects() throws IOException {
        for (int i = 0; i < connecting.size(); i++) {
            PollerEntry entry = connecting.get(i);
            if (entry.socket.completeConnect()) {
                readyQueue.add(entry, Interest.WRITE);
            }
        }
        connecting.clear();
    }

    private void addFailedConnect(PollerEntry entry) {
        synchronized (failedConnects) {
            failedConnects.add(entry);
        }
    }

    /** Adds the failed connects to the batch, as readable and writable. */
    private void addFailedConnects() {
        synchronized (failedConnects) {
            if (!failedConnects.isEmpty()) {
                failedConnects.removeIf(entry -> !entry.socket.isOpen());
                for (PollerEntry entry : failedConnects) {
                    readyQueue.add(entry, Interest.READ | Interest.WRITE);
                }
            }
        }
    }

    private boolean hasWatchedFailure() {
        synchronized (failedConnects) {
            if (!failedConnects.isEmpty()) {
                for (PollerEntry entry : failedConnects) {
                    if (entry.isWatched() && entry.socket.isOpen()) {
                        return true;
                    }
                }
            }
            return false;
        }
    }

    // Checks.

    private PollerEntry registered(Socket socket) {
        PollerEntry entry = socket instanceof NioSocket nio ? nio.entry(this) : null;
        if (entry == null) {
            throw notRegistered(socket);
        }
        return entry;
    }

    private static IllegalArgumentException notRegistered(Socket socket) {
        return new IllegalArgumentException(socket + " is not registered");
    }

    private void checkOpen() {
        if (closed) {
            throw closed(null);
        }
    }

    private static IllegalStateException closed(@Nullable Exception cause) {
        return new IllegalStateException("the poller is closed", cause);
    }

    private static void checkInterest(int interest) {
        if ((Interest.check(interest) & Interest.PRIORITY) != 0) {
            throw new UnsupportedOperationException("java.nio cannot watch for urgent data: " + NioNetwork.ALTERNATIVES);
        }
    }

    private static NioSocket nio(Socket socket) {
        if (socket instanceof NioSocket nio) {
            return nio;
        }
        throw new IllegalArgumentException(
                socket + " belongs to the network " + socket.network().name() + ", but this poller to nio");
    }
}
