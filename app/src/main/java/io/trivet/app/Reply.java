package io.trivet.app;

import java.util.Locale;

/** What a client's message is answered with. */
enum Reply {
    /** The message. */
    ECHO,
    /** The message, and the client's address behind it as Python prints it. */
    ADDRESS,
    /** Nothing. */
    DISCARD,
    /** The message, to every client. */
    BROADCAST;

    /** For the command line. */
    static final class Converter extends Choice<Reply> {
        Converter() {
            super(Reply.values());
        }
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
