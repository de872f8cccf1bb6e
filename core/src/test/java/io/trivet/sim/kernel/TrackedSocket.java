package io.trivet.sim.kernel;

import io.trivet.net.Socket;
import io.trivet.net.TcpStream;
import org.jspecify.annotations.Nullable;

/** A socket of a script. For a stream, tracks what it has sent and what is known to have arrived at its peer. */
final class TrackedSocket {
    final Socket socket;
    final int slot;
    /** The other end of the connection, once it has been accepted. */
    @Nullable TrackedSocket peer;
    /** The number of bytes sent, including urgent ones. */
    long sent;
    boolean hasSentUrgent;
    /** The number of bytes that are known to have arrived at the other end. */
    long arrived;
    /** Whether its output has been shut down or the socket closed. */
    boolean outputEnded;
    /** Whether the FIN is known to have arrived at the other end. */
    boolean finArrived;
    boolean closed;
    /** Whether an end was closed while sent bytes did not fit into its receive buffer. A timer then decides when they arrive or are reset. */
    boolean closedWhileFull;
    /** Whether a FIN did not fit into the receive buffer. A timer then decides when it arrives. */
    boolean finBlocked;
    /** Whether java.nio closed it because its connect failed. */
    boolean refused;
    /** Whether it has ever been registered with a poller. */
    boolean registered;
    /** The number of bytes sent when the other end was closed. Sending more causes a reset. */
    long sentBeforePeerClosed;
    /** Whether the kernel is known to have ended the connection at this end (TCP state CLOSE). */
    boolean connectionEnded;

    TrackedSocket(Socket socket, int slot) {
        this.socket = socket;
        this.slot = slot;
    }

    TcpStream stream() {
        return (TcpStream) socket;
    }
}
