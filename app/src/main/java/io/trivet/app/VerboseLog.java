package io.trivet.app;

import java.io.PrintStream;
import java.nio.ByteBuffer;

/**
 * What {@code serve -v} prints, one line per event. Clients are named {@code host:port}; their bytes are escaped. Every method
 * does nothing without {@code -v}.
 */
final class VerboseLog {
    private final PrintStream out;
    private final boolean enabled;

    VerboseLog(PrintStream out, boolean enabled) {
        this.out = out;
        this.enabled = enabled;
    }

    /** Returns whether events are printed; callers skip the formatting of arguments otherwise. */
    boolean isEnabled() {
        return enabled;
    }

    /** Logs one turn of the loop. */
    void turned(int done, int clients) {
        if (enabled) {
            out.println("select again: " + done + " done; " + clients + (clients == 1 ? " client" : " clients"));
        }
    }

    void connected(String client) {
        if (enabled) {
            out.println("connect " + client);
        }
    }

    void received(String client, ByteBuffer message) {
        if (enabled) {
            out.println("data " + client + " " + message.remaining() + " bytes \"" + EscapedText.of(message) + "\"");
        }
    }

    void receivedUrgent(String client, int value) {
        if (enabled) {
            out.println("urgent " + client + " \"" + EscapedText.of(value) + "\"");
        }
    }

    void replied(String client, ByteBuffer message) {
        if (enabled) {
            out.println("reply " + client + " " + message.remaining() + " bytes \"" + EscapedText.of(message) + "\"");
        }
    }

    void dropped(String client, int messages, long bytes) {
        if (enabled) {
            out.println("dropped " + client + " " + messages + (messages == 1 ? " message, " : " messages, ") + bytes + " bytes");
        }
    }

    void closed(String client, String reason) {
        if (enabled) {
            out.println("gone " + client + ": " + reason);
        }
    }
}
