package io.trivet.app;

import io.trivet.server.Overflow;
import java.util.Locale;

/** The values of {@code --overflow}: what happens to a client that reads more slowly than the server sends. */
enum OverflowOption {
    /** Stops reading from the client until its send queue has drained to the low mark; disconnects it at the queue's limit. */
    PAUSE,
    /** Drops the oldest messages of which no byte has been sent. */
    DROP_OLDEST,
    /** Disconnects the client at the queue's limit. */
    DISCONNECT;

    Overflow policy() {
        return switch (this) {
            case PAUSE -> Overflow.PAUSE_READING;
            case DROP_OLDEST -> Overflow.DROP_OLDEST;
            case DISCONNECT -> Overflow.DISCONNECT;
        };
    }

    static final class Converter extends EnumConverter<OverflowOption> {
        Converter() {
            super(OverflowOption.values());
        }
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
