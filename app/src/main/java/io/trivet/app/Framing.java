package io.trivet.app;

import java.util.Locale;

/** Where a message ends. */
enum Framing {
    /** What one read gives is one message. */
    RAW,
    /** {@code \n} or {@code \r\n} ends a message, and is not part of it. */
    LINES;

    io.trivet.server.Framing framing() {
        return switch (this) {
            case RAW -> io.trivet.server.Framing.raw();
            case LINES -> io.trivet.server.Framing.lines();
        };
    }

    /** For the command line. */
    static final class Converter extends Choice<Framing> {
        Converter() {
            super(Framing.values());
        }
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
