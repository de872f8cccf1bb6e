package io.trivet.server;

import io.trivet.tls.Tls;

/**
 * How a connection is served. Replaced as a whole when that changes. Accepted connections of a loop and a listener share one
 * context, unless each has a handler or a decoder of its own.
 *
 * @param server the server
 * @param handler the handler
 * @param calls the calls by which the connection reaches its loop
 * @param profile the settings
 * @param decoder the decoder of the profile's framing
 */
record ConnectionContext(Server server, Handler handler, ConnectionCalls calls, Profile profile, FrameDecoder decoder) {
    /**
     * Returns a copy with another framing and handler.
     *
     * @throws IllegalStateException DROP_OLDEST with raw framing
     */
    ConnectionContext with(Framing framing, Handler other) {
        return new ConnectionContext(server, other, calls, profile.with(framing).check(), framing.decoder());
    }

    /**
     * Returns a copy with TLS.
     *
     * @throws UnsupportedOperationException urgent data with TLS
     */
    ConnectionContext with(Tls tls) {
        return new ConnectionContext(server, handler, calls, profile.with(tls).check(), decoder);
    }

    /** Returns a copy with other limits. */
    ConnectionContext with(Limits limits) {
        return new ConnectionContext(server, handler, calls, profile.with(limits), decoder);
    }
}
