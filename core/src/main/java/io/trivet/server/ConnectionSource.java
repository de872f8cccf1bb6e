package io.trivet.server;

import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;

/**
 * A loop's view of where its accepted connections come from. The loop passes the listeners' completions to it, and reports closed
 * connections. A server has one source for all of its loops.
 */
interface ConnectionSource {
    /**
     * The listener of that index has accepted a connection. Thread of the first loop.
     *
     * @return false if it was refused because of its address
     */
    boolean accepted(int listener, TcpStream stream);

    /** A listener failed to accept, and will fail again while the cause lasts. Thread of the first loop. */
    void acceptFailed(IOException failure);

    /** A connection from this address has been closed. Any loop's thread. */
    void gone(InetSocketAddress remote);

    /** Returns true if no loop will get a further connection; those on their way are counted in their loops. Any thread. */
    boolean hasEnded();

    /** Accepts no further connections, and closes the listeners. Thread of the first loop. */
    void end();
}
