package io.trivet.app;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Converts an argument to a path with the same bytes. Java can only name files whose names the locale's encoding can represent. */
final class PathText implements ITypeConverter<Path> {
    @Override
    public Path convert(String text) {
        byte[] bytes = RawText.bytes(text);
        Charset charset = Charset.forName(System.getProperty("sun.jnu.encoding", StandardCharsets.UTF_8.name()));
        String name = new String(bytes, charset);
        if (text.isEmpty() || !Arrays.equals(name.getBytes(charset), bytes)) {
            throw invalid(text, charset);
        }
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw invalid(text, charset);
        }
    }

    private static TypeConversionException invalid(String text, Charset charset) {
        return new TypeConversionException(
                "'" + EscapedText.of(text) + "' is not a file name in this locale's encoding, " + charset
                        + (charset.equals(StandardCharsets.UTF_8) ? "" : ": set LC_ALL=C.UTF-8"));
    }
}
