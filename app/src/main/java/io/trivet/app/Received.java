package io.trivet.app;

import java.io.PrintStream;
import java.nio.ByteBuffer;

/**
 * What came, on standard output. From one connection: its bytes as they are, while they come; on a terminal without the control
 * characters that could move its cursor. From several: a line each, {@code host:port "text"}, the text escaped.
 */
final class Received {
    private final PrintStream out;
    private final boolean single;
    private final boolean terminal = Terminal.isOutput();
    private boolean withinLine;

    Received(PrintStream out, boolean single) {
        this.out = out;
        this.single = single;
    }

    /** A part, as it comes. */
    void part(ByteBuffer bytes) {
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
        withinLine = part.length == 0 ? withinLine : part[part.length - 1] != '\n';
    }

    /** All that one of several connections got. */
    void line(String name, ByteBuffer bytes) {
        if (!single) {
            out.println(name + " \"" + EscapedText.ofAll(bytes) + "\"");
        }
    }

    /** A prompt should not stand behind the last line. */
    void end() {
        if (single && terminal && withinLine) {
            out.println();
        }
        out.flush();
    }
}
