package io.trivet.nats;

import java.lang.System.Logger.Level;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Calls the application's listener. What it throws is logged. */
final class Notices {
    private static final System.Logger LOG = System.getLogger("io.trivet.nats");

    private final RelayListener listener;
    private boolean isTooLongLogged;
    /** The thread that is in a callback. */
    private volatile @Nullable Thread calling;

    Notices(RelayListener listener) {
        this.listener = listener;
    }

    private void call(Consumer<RelayListener> notice) {
        calling = Thread.currentThread();
        try {
            notice.accept(listener);
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "the relay's listener has failed", e);
        } finally {
            calling = null;
        }
    }

    /** Returns true if this thread is in a callback. */
    boolean isCalling() {
        Thread thread = calling;
        return thread != null && thread.equals(Thread.currentThread());
    }

    void gap(String topic, String from, long missed) {
        call(each -> each.onGap(topic, from, missed));
    }

    void history(String problem) {
        call(each -> each.onHistory(problem));
    }

    void dropped(long messages, long bytes) {
        call(each -> each.onDropped(messages, bytes));
    }

    void drained() {
        call(RelayListener::onDrained);
    }

    void presence(String client, String server, boolean isPresent) {
        call(each -> each.onPresence(client, server, isPresent));
    }

    void server(String server, RelayListener.ServerChange change) {
        call(each -> each.onServer(server, change));
    }

    void undeliverable(String client) {
        call(each -> each.onUndeliverable(client));
    }

    void refused(String topic) {
        call(each -> each.onRefused(topic));
    }

    void bus(BusState state, String reason) {
        call(each -> each.onBus(state, reason));
    }

    /** The bus does not carry a message. Logged once: the messages count as dropped. */
    void tooLong(IllegalArgumentException reason) {
        if (!isTooLongLogged) {
            isTooLongLogged = true;
            LOG.log(Level.WARNING, "the bus does not carry messages as long as messageBytesMax: " + reason.getMessage());
        }
    }
}
