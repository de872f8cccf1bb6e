package io.trivet.app;

import java.util.Locale;

/** The values of {@code --reply}: how the server answers a message. */
enum ReplyOption {
    /** With the message itself. */
    ECHO,
    /** With the message followed by the client's address as Python prints it. */
    ADDRESS,
    /** Not at all. */
    DISCARD,
    /** By sending the message to every client. */
    BROADCAST;

    static final class Converter extends EnumConverter<ReplyOption> {
        Converter() {
            super(ReplyOption.values());
        }
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
