package io.trivet.linux;

import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelector;
import java.util.Set;

/**
 * When a thread that waits in the kernel is interrupted, wakes it. {@link Thread#interrupt} alone does not end a native call. The
 * methods begin and end of {@link AbstractSelector}, which exist for implementations of selectors, let an interrupt run our
 * wakeup.
 */
final class InterruptHook extends AbstractSelector {
    private final Wakeup wakeup;

    @SuppressWarnings("NullAway") // there is no provider: nothing is opened or registered here
    InterruptHook(Wakeup wakeup) {
        super(null);
        this.wakeup = wakeup;
    }

    /**
     * Until {@link #afterWait}, an interrupt of this thread signals the wakeup. If the thread is already interrupted, signals at
     * once.
     */
    void beforeWait() {
        begin();
    }

    void afterWait() {
        end();
    }

    @Override
    public Selector wakeup() {
        wakeup.signal();
        return this;
    }

    @Override
    protected void implCloseSelector() {}

    @Override
    protected SelectionKey register(AbstractSelectableChannel channel, int ops, Object attachment) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Set<SelectionKey> keys() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Set<SelectionKey> selectedKeys() {
        throw new UnsupportedOperationException();
    }

    @Override
    public int selectNow() {
        throw new UnsupportedOperationException();
    }

    @Override
    public int select(long timeout) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int select() {
        throw new UnsupportedOperationException();
    }
}
