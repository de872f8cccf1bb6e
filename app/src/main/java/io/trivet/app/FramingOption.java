package io.trivet.app;

import io.trivet.server.Framing;
import java.util.Locale;

/** The values of {@code --framing}: how the byte stream is split into messages. */
enum FramingOption {
    /** The bytes of one read are one message. */
    RAW,
    /** A message ends with {@code \n} or {@code \r\n}, which is not part of it. */
    LINES;

    Framing framing() {
        return switch (this) {
            case RAW -> Framing.raw();
            case LINES -> Framing.lines();
        };
    }

    static final class Converter extends EnumConverter<FramingOption> {
        Converter() {
            super(FramingOption.values());
        }
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
