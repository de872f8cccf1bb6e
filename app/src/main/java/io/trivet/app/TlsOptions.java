package io.trivet.app;

import io.trivet.tls.TlsEngineKind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

// @formatter:off: an attribute a line, an option a paragraph
/** The TLS options that {@code trivet serve} and {@code trivet connect} share. */
final class TlsOptions {
    /** RFC 7301, section 3.1: the length of a name is one byte, and it is not 0. */
    private static final int ALPN_BYTES_MAX = 255;

    @Option(names = "--tls-key-password-file", paramLabel = "FILE", converter = PathText.class,
            description = "File whose first line is the password of an encrypted --tls-key. It is read once, at the start.")
    private @Nullable Path passwordFile;

    @Option(names = "--tls-alpn", paramLabel = "NAME", split = ",", converter = AlpnName.class, showDefaultValue = Visibility.NEVER,
            description = "Application protocols to negotiate (ALPN), separated by commas, the preferred one first. If both sides have some and none in "
                    + "common, the handshake fails.")
    private List<String> applicationProtocols = new ArrayList<>();

    @Option(names = "--tls-engine", paramLabel = "ENGINE", converter = TlsEngineConverter.class, showDefaultValue = Visibility.NEVER,
            description = "auto, jdk or openssl (default: auto); 'trivet engines' shows which are available here.")
    private @Nullable TlsEngineKind engine;
    // @formatter:on

    boolean areRequested() {
        return passwordFile != null || !applicationProtocols.isEmpty() || engine != null;
    }

    boolean hasPassword() {
        return passwordFile != null;
    }

    TlsEngineKind engine() {
        return engine == null ? TlsEngineKind.AUTO : engine;
    }

    String[] applicationProtocols() {
        return applicationProtocols.toArray(String[]::new);
    }

    /** Returns the password of the keys, or null. The caller erases it. */
    char @Nullable [] password() throws IOException {
        return passwordFile == null ? null : PasswordFile.read(passwordFile, System.err);
    }

    /** If a failure is that a password is missing, adds the option to its message. */
    IOException explained(IOException failure) {
        return passwordFile == null && String.valueOf(failure.getMessage()).endsWith("no password was given")
                ? new IOException(failure.getMessage() + " (--tls-key-password-file)", failure)
                : failure;
    }

    /** Converts the name of an application protocol. */
    static final class AlpnName implements ITypeConverter<String> {
        @Override
        public String convert(String text) {
            int length = text.getBytes(StandardCharsets.UTF_8).length;
            if (length == 0 || length > ALPN_BYTES_MAX) {
                throw new TypeConversionException("a name has from 1 to " + ALPN_BYTES_MAX + " bytes, not " + length);
            }
            return text;
        }
    }
}
