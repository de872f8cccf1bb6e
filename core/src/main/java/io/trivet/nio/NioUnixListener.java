package io.trivet.nio;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/**
 * A listening Unix domain socket. Java cannot lock a directory, so a stale file is not replaced. The socket's own file is removed when
 * it is closed.
 */
final class NioUnixListener extends NioTcpListener {
    private final Path path;
    /** Identifies the file; null if the system cannot. */
    private final @Nullable Object key;

    private NioUnixListener(NioNetwork network, ServerSocketChannel channel, UnixAddress address, Path path) throws IOException {
        super(network, channel, address.asInetSocketAddress());
        this.path = path;
        this.key = key(path);
    }

    static NioUnixListener listen(NioNetwork network, UnixAddress address, int backlog) throws IOException {
        UnixDomainSocketAddress target = nioAddress(address);
        ServerSocketChannel channel = NioNetwork.open(() -> ServerSocketChannel.open(StandardProtocolFamily.UNIX));
        try {
            channel.bind(target, backlog);
            return new NioUnixListener(network, channel, address, target.getPath().toAbsolutePath());
        } catch (IOException e) {
            channel.close();
            throw NioErrors.code(e) == ErrorCode.EADDRINUSE
                    ? new NetworkException("bind", address, ErrorCode.EADDRINUSE,
                            "EADDRINUSE, the file exists. java.nio does not replace it: "
                                    + "if no server listens there, remove it, or use another engine")
                    : NioErrors.failure("bind", address, e);
        }
    }

    static UnixDomainSocketAddress nioAddress(UnixAddress address) {
        String path = address.path();
        if (path == null) {
            throw new UnsupportedOperationException(address + ": java.nio has no abstract names: " + NioNetwork.ALTERNATIVES);
        }
        return UnixDomainSocketAddress.of(path);
    }

    /** Returns an address of java.nio; a Unix address as the one that stands for it. */
    static InetSocketAddress inetAddress(SocketAddress address) {
        return address instanceof UnixDomainSocketAddress unix ? UnixAddress.of(unix).asInetSocketAddress()
                : (InetSocketAddress) address;
    }

    private static @Nullable Object key(Path path) throws IOException {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey();
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    @Override
    public void close() throws IOException {
        try {
            if (isOpen() && key != null && key.equals(key(path))) {
                Files.deleteIfExists(path);
            }
        } finally {
            super.close();
        }
    }
}
