package io.trivet.app;

import io.trivet.net.Network;
import java.util.Locale;

/** The engines by the names that the command line knows. */
enum Engine {
    AUTO, URING, EPOLL, POLL, SELECT, NIO;

    /** The network of that name; fails when it is not available here, and says why and what would cure it. */
    Network open() {
        return this == AUTO ? Network.system() : Network.named(toString());
    }

    /** For the command line. */
    static final class Converter extends Choice<Engine> {
        Converter() {
            super(Engine.values());
        }
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
