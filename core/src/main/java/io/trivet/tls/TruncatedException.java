package io.trivet.tls;

import java.io.IOException;

/**
 * The peer's TCP stream has ended without TLS's close_notify, so what was received may be cut: anybody on the way can forge TCP's end,
 * and no attacker can forge close_notify. Many peers end like this without an attack, because they crash or are careless. A protocol that
 * marks its own end, such as a length before each message, can ignore the difference. Source: RFC 8446, section 6.1.
 */
public class TruncatedException extends IOException {
    private static final long serialVersionUID = 1;

    /** Creates an exception. */
    public TruncatedException() {
        super("the peer has ended the TCP connection without close_notify: its TLS stream may be cut");
    }
}
