package io.trivet.sim;

/**
 * A fault that the networks of this package can inject. A {@link FaultPlan} gives each fault a probability. The comment of a
 * fault names the event to which the probability applies: "Each read" means that each read has this fault with that probability.
 *
 * <p>A {@link SimNetwork} injects all faults. A {@link TortureNetwork} injects those that are marked <i>torture</i>, which need
 * no control over the kernel. No fault breaks a promise of {@link io.trivet.net.Network}: a real kernel and a real network do all
 * of this, but rarely.
 *
 * <p>The order of the constants determines what a seed does, so new constants are added at the end.
 */
public enum Fault {
    // Calls.

    /** <i>torture</i> – Each read: it returns only a part of the available bytes, often one byte. */
    SHORT_READ(0.2),
    /**
     * <i>torture</i> – Each write: it accepts only a part of the bytes that fit. The cut can be anywhere, also within a buffer.
     */
    SHORT_WRITE(0.2),
    /** <i>torture</i> – Each read with bytes available: it would block, although the socket was ready. */
    READ_WOULD_BLOCK(0.1),
    /** <i>torture</i> – Each write with room available: it would block, although the socket was ready. */
    WRITE_WOULD_BLOCK(0.1),
    /** Each call that moves bytes: a signal interrupts it (EINTR), which the caller sees as "would block". */
    INTERRUPTED(0.03),
    /** <i>torture</i> – Each accept while a connection is waiting: it would block. */
    ACCEPT_WOULD_BLOCK(0.1),
    /**
     * Each accept while a connection is waiting: that connection is discarded (ECONNABORTED) and its peer is reset; the call
     * continues with the next connection.
     */
    ACCEPT_ABORTED(0.03),
    /**
     * <i>torture</i> – Each accept while a connection is waiting: it fails with EMFILE or ENFILE (torture: only EMFILE, and never
     * twice in a row on one listener). The connection stays in the backlog.
     */
    ACCEPT_NO_DESCRIPTOR(0.02),
    /** Each accept while a connection is waiting: it fails with ENOBUFS or ENOMEM. The connection stays in the backlog. */
    ACCEPT_NO_MEMORY(0.02),
    /** Each socket opened for a connect: opening fails with EMFILE, ENFILE, ENOBUFS or ENOMEM. */
    SOCKET_REFUSED(0.02),
    /**
     * <i>torture</i> – Each {@code finishConnect} when the outcome of the connect is known: it returns false, although the stream
     * may have been reported as writable.
     */
    CONNECT_LATE(0.1),

    // Readiness.

    /** <i>torture</i> – Each poll that reports several sockets: the order is random. */
    READY_SHUFFLED(0.5),
    /**
     * <i>torture</i> – Each event: it is reported up to ten milliseconds late. A torture network instead reports it in a later
     * poll or select, and never delays all events of one call.
     */
    READY_LATE(0.05),
    /**
     * <i>torture</i> – Each poll that reports several sockets: it reports only some of them; the next poll reports the others.
     */
    READY_FEWER(0.2),
    /**
     * <i>torture</i> – Each poll: it reports a registered socket that is not ready as readable or writable. This never happens in
     * two consecutive polls. A socket that is registered for PRIORITY is never reported as readable, since the read that follows
     * would destroy an urgent byte.
     */
    READY_SPURIOUS(0.02),

    // The network between the hosts.

    /** Each portion of bytes that leaves a socket: it takes a microsecond to a tenth of a second to arrive. */
    LATENCY(0.3),
    /** Each portion of bytes that arrives: only a part of it arrives, often one byte; the rest follows later. */
    DRIBBLE(0.1),
    /**
     * Each portion of bytes that leaves a socket: nothing more arrives in that direction for a tenth of a second to twenty
     * seconds.
     */
    STALL(0.002),
    /**
     * Each tenth of a second: some connections stop in one direction, one after the other, and resume in another order up to five
     * seconds later (FoundationDB calls this swizzling).
     */
    CLOG(0.05),
    /** Each portion of bytes that leaves a socket: the connection is reset at both ends, at a random byte of it. */
    RESET(0.002),
    /** Each connect: refused, although a listener exists. */
    CONNECT_REFUSED(0.02),
    /** Each connect: no route to the host. */
    CONNECT_UNREACHABLE(0.01),
    /** Each connect: no answer for two minutes, then ETIMEDOUT. */
    CONNECT_IGNORED(0.005),
    /** Each datagram: lost. */
    DATAGRAM_LOST(0.05),
    /** Each datagram: it arrives twice. */
    DATAGRAM_DUPLICATED(0.02),
    /** Each datagram: it arrives late, after later ones. */
    DATAGRAM_LATE(0.1),

    // Time.

    /**
     * Each round of the loops: the clock jumps ahead by a millisecond to ten seconds, as on a machine that was suspended or
     * overloaded.
     */
    CLOCK_JUMP(0.0005),

    // The ring: only on hosts that simulate io_uring.

    /** Each completed receive: the multishot operation ends with it and must be re-armed, which takes a moment. */
    MULTISHOT_ENDS(0.1),
    /** Each receive: no buffer of the ring is free (ENOBUFS); the receive is re-armed when one is released. */
    BUFFERS_EXHAUSTED(0.05),
    /** Each completion: the completion queue has overflowed; a later poll delivers it. */
    COMPLETIONS_OVERFLOW(0.02),
    /** Each completion: it is delivered up to ten milliseconds late, after completions of other connections. */
    COMPLETION_LATE(0.1),
    /** Each stop or close during an operation: the operation completes before the cancellation reaches it. */
    CANCEL_LOSES(0.3),
    /** Each {@linkplain io.trivet.net.Proactor#PENDING pending} send: the kernel reads its memory up to ten milliseconds late. */
    SEND_LATE(0.3),

    // Calls, continued.

    /**
     * Each stream registered with a poller that simulates epoll, and each change of its interest: it fails with ENOMEM or ENOSPC.
     * A failed change also removes the registration.
     */
    WATCH_REFUSED(0.002);

    private final double usual;

    Fault(double usual) {
        this.usual = usual;
    }

    /**
     * Returns the probability in {@link FaultPlan#all}, from which {@link FaultPlan#of} derives others.
     *
     * @return from 0 to 1
     */
    public double usualProbability() {
        return usual;
    }
}
