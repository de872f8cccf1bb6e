package io.trivet.sim.kernel;

import io.trivet.net.Socket;
import io.trivet.net.TcpStream;
import org.jspecify.annotations.Nullable;

/** A socket of a script, and what is known of a stream from outside: enough to say what must still arrive. */
final class Held {
    final Socket socket;
    final int slot;
    /** The other end, once it was accepted. */
    @Nullable Held peer;
    /** How many bytes it sent, urgent ones too. */
    long sent;
    /** How many bytes the other end is known to have received. */
    long arrived;
    /** Whether its output has ended: by itself, or since it was closed. */
    boolean finished;
    /** Whether the other end is known to know that. */
    boolean finishArrived;
    boolean closed;
    /** Whether one end was closed while bytes had no room at it: when these, and the end, arrive or are answered by a reset is up to a timer. */
    boolean cutShort;
    /** Whether one end's output ended while there was no room at the other, not even for that: it comes with a timer. */
    boolean endHeldBack;
    /** Whether java.nio has closed it by itself, since its connect has failed. */
    boolean refused;
    /** Whether a poller has ever watched it. */
    boolean watched;
    /** How much it had sent when the other end was closed: more is answered by a reset. */
    long sentBeforePeerClosed;
    /** Whether the connection is known to be over for this end. */
    boolean over;

    Held(Socket socket, int slot) {
        this.socket = socket;
        this.slot = slot;
    }

    TcpStream stream() {
        return (TcpStream) socket;
    }
}
