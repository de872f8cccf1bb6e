package io.trivet.net;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The address of a Unix domain socket: a path, an abstract name (Linux only), or none, as most clients have. Source: man 7 unix.
 *
 * <p>Its text is {@code unix:/run/app.sock}, {@code unix:@name} for an abstract name, and {@code unix:} for no address. A relative
 * path that starts with {@code @} is written {@code unix:./@name}.
 *
 * <p><b>As an {@link InetSocketAddress}.</b> {@link Network}, {@link TcpStream} and the server pass addresses as {@code
 * InetSocketAddress}. There, an unresolved address whose host is this text, with port 0, stands for a Unix address: see
 * {@link #asInetSocketAddress} and {@link #of(InetSocketAddress)}. No host name contains a colon, so the two cannot be confused.
 * {@link Addresses#toString(InetSocketAddress)} formats it as this text. Unlike this class, {@code InetSocketAddress.equals}
 * ignores the case of such an address.
 *
 * <p>Immutable; any thread.
 */
public final class UnixAddress extends SocketAddress {
    private static final long serialVersionUID = 1;

    /** The number of bytes that a path or an abstract name may have: sun_path has 108, of which one is the 0. */
    public static final int BYTES_MAX = 107;

    private static final String SCHEME = "unix:";
    /** The encoding of the names of files, which paths are. */
    private static final Charset PATH_CHARSET = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
    private static final UnixAddress UNNAMED = new UnixAddress("");

    /** The path, or {@code @} and the abstract name, or nothing. */
    private final String name;

    private UnixAddress(String name) {
        this.name = name;
    }

    /**
     * Returns the address with a path.
     *
     * @param path the path of the socket's file, absolute or relative to the working directory of the process
     * @return the address
     * @throws IllegalArgumentException the path is empty, has more than {@value #BYTES_MAX} bytes, contains a NUL, or cannot be
     *     encoded as the name of a file
     */
    public static UnixAddress ofPath(String path) {
        return checked(path.startsWith("@") ? "./" + path : path);
    }

    /**
     * Returns the address with a path.
     *
     * @param path the path, of the default file system
     * @return the address
     * @throws IllegalArgumentException as for {@link #ofPath(String)}
     */
    public static UnixAddress ofPath(Path path) {
        return ofPath(path.toString());
    }

    /**
     * Returns the address with an abstract name, for which there is no file. Only Linux has them. Every process in the network
     * namespace may connect to it, whatever its user.
     *
     * @param name the name, without the leading NUL that it has in the kernel, and without {@code @}
     * @return the address
     * @throws IllegalArgumentException the name is empty, has more than 106 bytes as UTF-8, or contains a NUL
     */
    public static UnixAddress ofAbstract(String name) {
        return checked("@" + name);
    }

    /**
     * Returns the address of a socket that is not bound.
     *
     * @return the address without a name
     */
    public static UnixAddress unnamed() {
        return UNNAMED;
    }

    /**
     * Converts an address of the JDK.
     *
     * @param address the address; an empty path is {@link #unnamed}
     * @return the address
     * @throws IllegalArgumentException as for {@link #ofPath(String)}
     */
    public static UnixAddress of(UnixDomainSocketAddress address) {
        String path = address.getPath().toString();
        return path.isEmpty() ? UNNAMED : ofPath(path);
    }

    /**
     * Returns the Unix address that an {@code InetSocketAddress} stands for.
     *
     * @param address any address
     * @return the Unix address; null if it is an IP address or the name of a host. It is not validated: a peer may have bound an address
     *     that {@link #parse} refuses, such as a path of 108 bytes, or an abstract name with a NUL
     */
    public static @Nullable UnixAddress of(InetSocketAddress address) {
        return isUnix(address) ? new UnixAddress(address.getHostString().substring(SCHEME.length())) : null;
    }

    /**
     * Returns whether an {@code InetSocketAddress} stands for a Unix address.
     *
     * @param address any address
     * @return false if it is an IP address or the name of a host
     */
    public static boolean isUnix(InetSocketAddress address) {
        return address.isUnresolved() && address.getHostString().startsWith(SCHEME);
    }

    /**
     * Returns whether a text is meant to be a Unix address.
     *
     * @param text the text
     * @return true if it starts with {@code unix:}
     */
    public static boolean isUnix(String text) {
        return text.startsWith(SCHEME);
    }

    /**
     * Parses the text of an address.
     *
     * @param text {@code unix:PATH}, {@code unix:@NAME}, or {@code unix:} for {@link #unnamed}
     * @return the address
     * @throws IllegalArgumentException the text does not start with {@code unix:}, or as for {@link #ofPath(String)}
     */
    public static UnixAddress parse(String text) {
        if (!isUnix(text)) {
            throw new IllegalArgumentException(text + " is not a Unix address: write unix:PATH or unix:@NAME");
        }
        return text.length() == SCHEME.length() ? UNNAMED : checked(text.substring(SCHEME.length()));
    }

    private static UnixAddress checked(String name) {
        UnixAddress address = new UnixAddress(name);
        int count = address.bytes().length;
        if (count == 0 || name.equals("@") || count > BYTES_MAX) {
            throw new IllegalArgumentException("the address of a Unix domain socket has 1 to " + BYTES_MAX + " bytes, not "
                    + (name.equals("@") ? 0 : count) + ": " + address);
        }
        if (name.indexOf(0) >= 0) {
            throw new IllegalArgumentException("the address of a Unix domain socket must not contain a NUL: " + address);
        }
        if (!address.isAbstract() && !new String(address.bytes(), PATH_CHARSET).equals(name)) {
            throw new IllegalArgumentException(address + " cannot be the name of a file in the encoding " + PATH_CHARSET);
        }
        return address;
    }

    /**
     * Returns this address as the {@code InetSocketAddress} that stands for it.
     *
     * @return an unresolved address with port 0
     */
    public InetSocketAddress asInetSocketAddress() {
        return InetSocketAddress.createUnresolved(SCHEME + name, 0);
    }

    /**
     * Returns whether this is an abstract name.
     *
     * @return true if there is no file
     */
    public boolean isAbstract() {
        return name.startsWith("@");
    }

    /**
     * Returns whether this is the address of a socket that is not bound.
     *
     * @return true for {@link #unnamed}
     */
    public boolean isUnnamed() {
        return name.isEmpty();
    }

    /**
     * Returns the path of the socket's file.
     *
     * @return the path; null for an abstract name, or none
     */
    public @Nullable String path() {
        return isAbstract() || isUnnamed() ? null : name;
    }

    /**
     * Returns the bytes of the path, or of {@code @} and the abstract name, as the kernel expects them, except that in an abstract
     * name the {@code @} is a NUL there.
     *
     * @return a new array
     */
    public byte[] bytes() {
        return name.getBytes(isAbstract() ? StandardCharsets.UTF_8 : PATH_CHARSET);
    }

    /**
     * Returns the address for bytes of the kernel: the reverse of {@link #bytes}. Bytes that are no text are replaced.
     *
     * @param bytes an array that starts with them
     * @param count the number of bytes, up to 108
     * @return the address
     */
    public static UnixAddress ofBytes(byte[] bytes, int count) {
        if (count == 0) {
            return UNNAMED;
        }
        byte[] exact = Arrays.copyOf(bytes, count);
        return new UnixAddress(new String(exact, exact[0] == '@' ? StandardCharsets.UTF_8 : PATH_CHARSET));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof UnixAddress address && address.name.equals(name);
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }

    /**
     * Returns the text that {@link #parse} accepts, except that control characters, which a peer may have chosen, are written as in {@code
     * \\u000a}.
     *
     * @return for instance {@code unix:/run/app.sock}
     */
    @Override
    public String toString() {
        if (name.chars().noneMatch(Character::isISOControl)) {
            return SCHEME + name;
        }
        StringBuilder text = new StringBuilder(SCHEME);
        name.chars()
                .forEach(c -> text.append(Character.isISOControl(c) ? String.format("\\u%04x", c) : String.valueOf((char) c)));
        return text.toString();
    }
}
