package io.trivet.app;

import java.util.Locale;

/** What happens to a client that reads more slowly than it is sent to. */
enum Overflow {
    /** Nothing more is read from it until its queue is short again; at the queue's limit it is disconnected. */
    PAUSE,
    /** The oldest messages of which nothing was sent make room. */
    DROP_OLDEST,
    /** It is disconnected at the queue's limit. */
    DISCONNECT;

    io.trivet.server.Overflow policy() {
        return switch (this) {
            case PAUSE -> io.trivet.server.Overflow.PAUSE_READING;
            case DROP_OLDEST -> io.trivet.server.Overflow.DROP_OLDEST;
            case DISCONNECT -> io.trivet.server.Overflow.DISCONNECT;
        };
    }

    /** For the command line. */
    static final class Converter extends Choice<Overflow> {
        Converter() {
            super(Overflow.values());
        }
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
