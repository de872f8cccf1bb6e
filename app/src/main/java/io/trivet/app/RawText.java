package io.trivet.app;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Command-line arguments without loss. The JVM decodes them by the locale, and in {@code LC_ALL=C} replaces what is not ASCII.
 * Here they are UTF-8 in every locale, and a byte that is not part of a valid character becomes one of U+DC80 to U+DCFF, as in
 * Python (PEP 383), so that {@link #bytes} restores it.
 */
final class RawText {
    private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");
    private static final int ESCAPE = 0xdc00;

    private RawText() {}

    /**
     * Returns the arguments of {@code main} from the process's command line; unchanged if they cannot be found there, for
     * instance on other systems, or if an argument file of {@code java} contains them.
     */
    static String[] arguments(String[] decoded) {
        byte[] commandLine;
        try {
            commandLine = Files.readAllBytes(COMMAND_LINE);
        } catch (IOException e) {
            return decoded;
        }
        List<byte[]> all = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < commandLine.length; i++) {
            if (commandLine[i] == 0) {
                all.add(Arrays.copyOfRange(commandLine, start, i));
                start = i + 1;
            }
        }
        if (all.size() <= decoded.length) { // the first one is the program
            return decoded;
        }
        String[] arguments = new String[decoded.length];
        for (int i = 0; i < decoded.length; i++) {
            byte[] raw = all.get(all.size() - decoded.length + i);
            arguments[i] = of(raw);
            boolean ascii = arguments[i].chars().allMatch(c -> c < 0x80);
            if (ascii ? !arguments[i].equals(decoded[i]) : decoded[i].chars().allMatch(c -> c < 0x80 && c != '?')) {
                return decoded; // these are not the arguments of main
            }
        }
        return arguments;
    }

    /** Decodes UTF-8; invalid bytes become U+DC80 to U+DCFF. */
    static String of(byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        while (true) {
            CoderResult result = decoder.decode(in, out, true);
            if (!result.isError()) {
                return out.flip().toString();
            }
            for (int i = 0; i < result.length(); i++) {
                out.put((char) (ESCAPE | (in.get() & 0xff)));
            }
        }
    }

    /** Encodes as UTF-8, with the bytes that {@link #of} has escaped. */
    static byte[] bytes(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length() + 8);
        int done = 0;
        for (int i = 0; i < text.length(); i++) {
            if (isByte(text, i)) {
                bytes.writeBytes(text.substring(done, i).getBytes(StandardCharsets.UTF_8));
                bytes.write(text.charAt(i) & 0xff);
                done = i + 1;
            }
        }
        bytes.writeBytes(text.substring(done).getBytes(StandardCharsets.UTF_8));
        return bytes.toByteArray();
    }

    private static boolean isByte(String text, int index) {
        char c = text.charAt(index);
        return c >= ESCAPE + 0x80 && c <= ESCAPE + 0xff && (index == 0 || !Character.isHighSurrogate(text.charAt(index - 1)));
    }
}
