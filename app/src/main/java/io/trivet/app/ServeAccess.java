package io.trivet.app;

import io.trivet.net.Cidr;
import io.trivet.server.AccessList;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

// @formatter:off: an attribute a line, an option a paragraph
/** The options of {@code trivet serve} about the addresses of clients. */
final class ServeAccess {
    @Option(names = "--allow", paramLabel = "CIDR", converter = Converter.class, showDefaultValue = Visibility.NEVER,
            description = "Range of addresses that may connect, such as 10.0.0.0/8 or ::1. May be repeated. All others are reset (default: "
                    + "every address may connect).")
    private List<Cidr> allowed = new ArrayList<>();

    @Option(names = "--deny", paramLabel = "CIDR", converter = Converter.class, showDefaultValue = Visibility.NEVER,
            description = "Range of addresses that are reset when they connect, even if --allow includes them. May be repeated.")
    private List<Cidr> denied = new ArrayList<>();

    @Option(names = "--proxy-protocol", paramLabel = "CIDR", converter = Converter.class, showDefaultValue = Visibility.NEVER,
            description = "Range of addresses of proxies that send a header of the PROXY protocol (version 1 or 2), which contains the client's "
                    + "address. May be repeated. A connection from there without a header is closed. Other clients are served as they are.")
    private List<Cidr> proxies = new ArrayList<>();
    // @formatter:on

    List<Cidr> proxies() {
        return proxies;
    }

    AccessList list() {
        return AccessList.all().allow(allowed.toArray(Cidr[]::new)).deny(denied.toArray(Cidr[]::new));
    }

    /** Converts a range in CIDR notation. */
    static final class Converter implements ITypeConverter<Cidr> {
        @Override
        public Cidr convert(String text) {
            try {
                return Cidr.of(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(EscapedText.of(String.valueOf(e.getMessage())));
            }
        }
    }
}
