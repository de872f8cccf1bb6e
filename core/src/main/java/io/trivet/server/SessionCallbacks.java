package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The handler of a connection that has a session: passes on what the loop reports. */
final class SessionCallbacks implements Handler {
    private final SessionHandler handler;
    /** Null until the connection is open. */
    private @Nullable Session session;

    SessionCallbacks(SessionHandler handler) {
        this.handler = handler;
    }

    @Override
    public void onOpen(Connection connection) {
        Session started = new Session(connection, handler);
        session = started;
        started.start();
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer message) {
        if (session != null) {
            session.message(message);
        }
    }

    /** All messages of a delivery have been passed on. */
    void delivered() {
        if (session != null) {
            session.wake();
        }
    }

    @Override
    public void onEndOfInput(Connection connection) {
        if (session != null) {
            session.inputEnded();
        }
    }

    @Override
    public void onDrained(Connection connection) {
        if (session != null) {
            session.wake();
        }
    }

    void secured() {
        if (session != null) {
            session.secured();
        }
    }

    int unreadBytes() {
        return session == null ? 0 : session.unreadBytes();
    }

    long heldBytes() {
        return session == null ? 0 : session.heldBytes();
    }

    void dropReceived() {
        if (session != null) {
            session.dropReceived();
        }
    }

    /** Returns false if no session has been started. */
    boolean drain() {
        if (session == null) {
            return false;
        }
        session.drain();
        return true;
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        if (session != null) {
            session.closed(reason);
        }
    }
}
