package io.trivet.server;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Makes the contexts of the connections that one loop serves with one protocol. They share one context if they share everything,
 * so that an idle connection costs no memory for it. Any thread.
 */
final class Contexts {
    private final Server server;
    private final ConnectionCalls calls;
    private final Protocol protocol;
    private final Profile profile;
    private final Connection.@Nullable Context shared;

    /**
     * Creates a source of contexts.
     *
     * @param profile the protocol's profile, with the server's settings where it has none
     */
    Contexts(Server server, ConnectionCalls calls, Protocol protocol, Profile profile) {
        this.server = server;
        this.calls = calls;
        this.protocol = protocol;
        this.profile = profile;
        Handler handler = protocol.sharedHandler();
        Framing framing = profile.framing();
        shared = handler != null && framing.isShared()
                ? new Connection.Context(server, handler, calls, profile, framing.decoder())
                : null;
    }

    /** Returns the context of a new connection. If a factory of the application fails, its handler throws that in onOpen. */
    @SuppressWarnings("CatchThrowable") // an Error, too, is thrown where those of handlers are expected
    Connection.Context next() {
        if (shared != null) {
            return shared;
        }
        Handler handler;
        FrameDecoder decoder;
        try {
            handler = protocol.handler();
            decoder = profile.framing().decoder();
        } catch (Throwable e) {
            handler = new FailedHandler(e);
            decoder = Framing.raw().decoder(); // not called: the connection ends when it has opened
        }
        return new Connection.Context(server, handler, calls, profile, decoder);
    }

    /** Stands for a handler that could not be made. So the failure ends its connection as that of a handler does. */
    private record FailedHandler(Throwable cause) implements Handler {
        @Override
        public void onOpen(Connection connection) throws Exception {
            if (cause instanceof Error error) {
                throw error;
            }
            throw (Exception) cause;
        }

        @Override
        public void onMessage(Connection connection, ByteBuffer message) {}
    }
}
