package io.trivet.server;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
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
    private final @Nullable ConnectionContext shared;

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
                ? new ConnectionContext(server, handler, calls, profile, framing.decoder())
                : null;
    }

    /** Returns a factory of the connections that a loop accepts. Its argument is the index of the listener. */
    static IntFunction<ConnectionRecord> ofListeners(Server server, ConnectionCalls calls, List<Protocol> protocols,
            List<Profile> profiles) {
        List<Contexts> byListener = new ArrayList<>();
        for (int i = 0; i < profiles.size(); i++) {
            byListener.add(new Contexts(server, calls, protocols.get(i), profiles.get(i)));
        }
        return listener -> new Connection(byListener.get(listener).next());
    }

    /** Returns the context of a new connection. If a factory of the application fails, onOpen throws its failure. */
    @SuppressWarnings("CatchThrowable") // an Error, too, is thrown by onOpen, where the loop handles it
    ConnectionContext next() {
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
        return new ConnectionContext(server, handler, calls, profile, decoder);
    }

    /** Replaces a handler that could not be created. The failure ends the connection like an exception of a handler. */
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
