package io.trivet.linux;

import io.trivet.net.Socket;

/** A second descriptor of a socket, as another process would pass it. */
public final class CopiedDescriptor {
    private static final int F_DUPFD = 0;

    private CopiedDescriptor() {}

    /** Returns its number. */
    public static int of(Socket socket) {
        return Libc.fcntl(socket.fd(), F_DUPFD, 0);
    }
}
