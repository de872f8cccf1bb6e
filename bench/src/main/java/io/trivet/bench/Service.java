package io.trivet.bench;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** The services that a peer can offer. */
enum Service {
    /** Echoes what arrives. */
    ECHO,
    /** Echoes each line; the peer finds and frames the lines. */
    FRAMED,
    /** Replies to each line with {@link #REPLY_HEAD} and the line, composed from bytes. */
    LINES,
    /** The same as {@link #LINES}, composed from strings. */
    STRINGS,
    /** Sends what arrives to every client. */
    BROADCAST;

    /** The beginning of each composed reply. */
    static final String REPLY_HEAD = "ok: ";

    private static final byte[] REPLY_HEAD_BYTES = REPLY_HEAD.getBytes(StandardCharsets.US_ASCII);

    static Service named(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }

    static byte[] replyHead() {
        return REPLY_HEAD_BYTES.clone();
    }

    /** Returns the exception for a peer that does not offer this service. */
    IllegalArgumentException unsupported() {
        return new IllegalArgumentException("service not implemented for this peer: " + name().toLowerCase(Locale.ROOT));
    }
}
