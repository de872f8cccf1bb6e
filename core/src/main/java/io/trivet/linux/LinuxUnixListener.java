package io.trivet.linux;

import io.trivet.net.SocketFile;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A listening Unix domain socket, with the file that it has created, if it has one. */
final class LinuxUnixListener extends LinuxTcpListener {
    /** Null: there is none, or it is not this object's to remove. */
    private final AtomicReference<@Nullable UnixFile> file = new AtomicReference<>();

    LinuxUnixListener(LinuxNetwork network, int fd, UnixAddress address) {
        super(network, fd, address.asInetSocketAddress());
    }

    void listen(UnixAddress unix, SocketFile settings, int backlog) throws IOException {
        if (unix.path() != null) {
            file.set(UnixFile.listen(this, unix, settings, backlog));
        } else {
            UnixFile.bind(this, unix);
            UnixFile.listen(this, unix, backlog);
        }
    }

    @Override
    public void ownFile() throws IOException {
        UnixAddress unix = UnixAddress.of(localAddress());
        file.set(unix == null ? null : UnixFile.existing(unix));
    }

    @Override
    public boolean share() {
        super.share();
        return file.getAndSet(null) != null;
    }

    @Override
    public void close() throws IOException {
        UnixFile own = file.getAndSet(null);
        try {
            if (own != null) {
                own.remove(); // first, so that no client finds a file at which nothing listens
            }
        } finally {
            super.close();
        }
    }
}
