package io.trivet.app;

import io.trivet.net.SocketFile;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

// @formatter:off: an attribute a line, an option a paragraph
/** The options of {@code trivet serve} about the files of Unix domain sockets. */
final class ServeSocketFile {
    @Option(names = "--socket-mode", paramLabel = "MODE", converter = ModeConverter.class,
            description = "Permissions of the file of --host unix:PATH, such as 660 or rw-rw----. Clients need permission to write (default: as "
                    + "the umask permits).")
    private @Nullable SocketFile mode;

    @Option(names = "--socket-owner", paramLabel = "USER[:GROUP]",
            description = "Owner of the file of --host unix:PATH; :GROUP changes only the group (default: those of this process).")
    private @Nullable String owner;
    // @formatter:on

    /** Returns the settings. */
    SocketFile file() {
        SocketFile file = mode == null ? SocketFile.defaults() : mode;
        if (owner == null) {
            return file;
        }
        int colon = owner.indexOf(':');
        String user = colon < 0 ? owner : owner.substring(0, colon);
        String group = colon < 0 ? "" : owner.substring(colon + 1);
        file = user.isEmpty() ? file : file.withOwner(user);
        return group.isEmpty() ? file : file.withGroup(group);
    }

    /** Converts a mode. */
    static final class ModeConverter implements ITypeConverter<SocketFile> {
        @Override
        public SocketFile convert(String text) {
            try {
                return SocketFile.defaults().withMode(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(EscapedText.of(String.valueOf(e.getMessage())));
            }
        }
    }
}
