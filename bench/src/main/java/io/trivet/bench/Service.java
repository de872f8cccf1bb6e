package io.trivet.bench;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** What a peer serves. */
enum Service {
    /** What arrived comes back. */
    ECHO,
    /** Each line comes back, found and framed by the peer. */
    FRAMED,
    /** Each line comes back behind {@link #REPLY_HEAD}: composed from bytes. */
    LINES,
    /** The same, composed from strings. */
    STRINGS,
    /** What arrived goes to every client. */
    BROADCAST;

    /** What stands before each line in a composed reply. */
    static final String REPLY_HEAD = "ok: ";

    private static final byte[] REPLY_HEAD_BYTES = REPLY_HEAD.getBytes(StandardCharsets.US_ASCII);

    static Service named(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }

    static byte[] replyHead() {
        return REPLY_HEAD_BYTES.clone();
    }

    /** For a peer that does not serve that. */
    IllegalArgumentException notHere() {
        return new IllegalArgumentException("not written for this peer: " + name().toLowerCase(Locale.ROOT));
    }
}
