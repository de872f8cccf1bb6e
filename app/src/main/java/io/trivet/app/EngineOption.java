package io.trivet.app;

import io.trivet.net.Network;
import java.util.Locale;

/** The values of {@code --engine}. */
enum EngineOption {
    AUTO, URING, EPOLL, POLL, SELECT, NIO;

    /** Returns the network of this engine; throws with the reason and the cure if it is not available here. */
    Network open() {
        return this == AUTO ? Network.system() : Network.named(toString());
    }

    static final class Converter extends EnumConverter<EngineOption> {
        Converter() {
            super(EngineOption.values());
        }
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
