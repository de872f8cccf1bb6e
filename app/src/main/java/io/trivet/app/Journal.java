package io.trivet.app;

import java.io.PrintStream;
import java.nio.ByteBuffer;

/** What a server tells of its work with {@code -v}, a line each. Names are {@code host:port}; a peer's bytes are escaped. */
final class Journal {
    private final PrintStream out;
    private final boolean verbose;

    Journal(PrintStream out, boolean verbose) {
        this.out = out;
        this.verbose = verbose;
    }

    /** Whether anything is told at all: what it would be told need not be put into words otherwise. */
    boolean isVerbose() {
        return verbose;
    }

    void round(int done, int clients) {
        if (verbose) {
            out.println("select again: " + done + " done; " + clients + (clients == 1 ? " client" : " clients"));
        }
    }

    void connected(String client) {
        if (verbose) {
            out.println("connect " + client);
        }
    }

    void data(String client, ByteBuffer message) {
        if (verbose) {
            out.println("data " + client + " " + message.remaining() + " bytes \"" + EscapedText.of(message) + "\"");
        }
    }

    void urgent(String client, int value) {
        if (verbose) {
            out.println("urgent " + client + " \"" + EscapedText.of(value) + "\"");
        }
    }

    void reply(String client, ByteBuffer message) {
        if (verbose) {
            out.println("reply " + client + " " + message.remaining() + " bytes \"" + EscapedText.of(message) + "\"");
        }
    }

    void dropped(String client, int messages, long bytes) {
        if (verbose) {
            out.println("dropped " + client + " " + messages + (messages == 1 ? " message, " : " messages, ") + bytes + " bytes");
        }
    }

    void gone(String client, String reason) {
        if (verbose) {
            out.println("gone " + client + ": " + reason);
        }
    }
}
