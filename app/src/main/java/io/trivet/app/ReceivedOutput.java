package io.trivet.app;

import java.io.PrintStream;
import java.nio.ByteBuffer;

/**
 * Prints received bytes to standard output. With one connection, they are printed as they arrive and unchanged; on a terminal,
 * control characters that could move its cursor are replaced. With several connections, each prints lines
 * {@code host:port "text"} with the text escaped.
 */
final class ReceivedOutput {
    private final PrintStream out;
    private final boolean single;
    private final boolean terminal = Terminal.isOutput();
    private boolean midLine;

    ReceivedOutput(PrintStream out, boolean single) {
        this.out = out;
        this.single = single;
    }

    /** Prints bytes as they arrive; does nothing with several connections. */
    void write(ByteBuffer bytes) {
        if (!single) {
            return;
        }
        byte[] part = new byte[bytes.remaining()];
        bytes.get(bytes.position(), part);
        for (int i = 0; terminal && i < part.length; i++) {
            boolean control = part[i] >= 0 && part[i] < 0x20 && part[i] != '\n' && part[i] != '\t';
            part[i] = control || part[i] == 0x7f ? (byte) '?' : part[i];
        }
        out.write(part, 0, part.length);
        out.flush();
        midLine = part.length == 0 ? midLine : part[part.length - 1] != '\n';
    }

    /** Prints the bytes of one of several connections as a line; does nothing with a single connection. */
    void printLine(String name, ByteBuffer bytes) {
        if (!single) {
            out.println(name + " \"" + EscapedText.ofAll(bytes) + "\"");
        }
    }

    /** Ends an unfinished line on a terminal, so that the shell's prompt starts on its own line; flushes. */
    void finish() {
        if (single && terminal && midLine) {
            out.println();
        }
        out.flush();
    }
}
