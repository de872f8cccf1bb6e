package io.trivet.server;

import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

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

    /**
     * A trusted proxy has named the client it connects for. Any loop's thread.
     *
     * @param client the client's address
     * @param isProxy true if the proxy has connected for itself
     * @return null: the address is counted; or why the client is refused
     */
    @Nullable
    CloseReason identified(InetSocketAddress client, boolean isProxy);

    /**
     * A connection has been closed. Any loop's thread.
     *
     * @param client the address that was counted; null: a proxy that has not been {@linkplain #identified identified}
     */
    void gone(@Nullable InetSocketAddress client);

    /** Returns true if no loop will get a further connection; those on their way are counted in their loops. Any thread. */
    boolean hasEnded();

    /** Accepts no further connections, and closes the listeners. Thread of the first loop. */
    void end();
}
