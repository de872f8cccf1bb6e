package io.trivet.sim;

/**
 * What can go wrong on a {@link SimNetwork}. Each kind has a probability in a {@link FaultPlan}; what the probability is about stands with
 * the kind. None breaks a promise of {@link io.trivet.net.Network}: a real kernel and a real net do all of this, seldom.
 *
 * <p>The order of the kinds is part of what a seed means: new ones come last.
 */
public enum SimFault {
    // Calls.

    /** Each read: it gives a part of what is there, often one byte. */
    SHORT_READ(0.2),
    /** Each write: it takes a part of what fits, cut anywhere, also between two buffers and within one. */
    SHORT_WRITE(0.2),
    /** Each read that could give something: it would block, although the socket was ready. */
    READ_WOULD_BLOCK(0.1),
    /** Each write that could take something: it would block, although the socket was ready. */
    WRITE_WOULD_BLOCK(0.1),
    /** Each call that moves bytes: a signal interrupts it (EINTR), which the seam tells as "would block". */
    INTERRUPTED(0.03),
    /** Each accept with somebody waiting: it finds no one. */
    ACCEPT_WOULD_BLOCK(0.1),
    /** Each accept with somebody waiting: that connection is gone (ECONNABORTED), and its peer is reset; the next one is taken. */
    ACCEPT_ABORTED(0.03),
    /** Each accept with somebody waiting: EMFILE or ENFILE; whoever waits goes on waiting. */
    ACCEPT_NO_DESCRIPTOR(0.02),
    /** Each accept with somebody waiting: ENOBUFS or ENOMEM; whoever waits goes on waiting. */
    ACCEPT_NO_MEMORY(0.02),
    /** Each opening of a socket to connect with: EMFILE, ENFILE, ENOBUFS or ENOMEM. */
    SOCKET_REFUSED(0.02),
    /** Each question whether a connect has finished: not yet, although it has. */
    CONNECT_TOLD_LATE(0.1),

    // Readiness.

    /** Each poll that reports several sockets: in another order. */
    READY_SHUFFLED(0.5),
    /** Each event: it is reported up to ten milliseconds later. */
    READY_LATE(0.05),
    /** Each poll that reports several sockets: only some of them; the others come with the next. */
    READY_FEWER(0.2),
    /**
     * Each poll: READ or WRITE of a watched socket is reported without a reason. Not where PRIORITY is watched: the read that follows would
     * destroy an urgent byte.
     */
    READY_SPURIOUS(0.02),

    // The net between.

    /** Each portion of bytes that leaves a socket: it is on its way for a microsecond to a tenth of a second. */
    LATENCY(0.3),
    /** Each portion of bytes that arrives: only a part does, often one byte; the rest follows. */
    DRIBBLE(0.1),
    /** Each portion of bytes that leaves a socket: nothing more arrives in that direction for a tenth of a second to twenty seconds. */
    STALL(0.002),
    /**
     * Each tenth of a second: some connections are clogged in one direction, one by one, and released in another order up to five seconds
     * later (FoundationDB calls that swizzling).
     */
    CLOG(0.05),
    /** Each portion of bytes that leaves a socket: the connection is reset from both ends, at any byte. */
    RESET(0.002),
    /** Each connect: refused, although somebody listens. */
    CONNECT_REFUSED(0.02),
    /** Each connect: no route to the host. */
    CONNECT_UNREACHABLE(0.01),
    /** Each connect: nobody answers for two minutes, then ETIMEDOUT. */
    CONNECT_IGNORED(0.005),
    /** Each datagram: lost. */
    DATAGRAM_LOST(0.05),
    /** Each datagram: it arrives twice. */
    DATAGRAM_DOUBLED(0.02),
    /** Each datagram: it arrives late, behind others. */
    DATAGRAM_LATE(0.1),

    // Time.

    /** Each round of the loops: the clock jumps ahead by a millisecond to ten seconds, as when a machine was asleep or overloaded. */
    CLOCK_JUMP(0.0005),

    // The ring: only where the network answers like io_uring.

    /** Each completed receive: the multishot operation ends with it, and must be armed anew, which takes a moment. */
    MULTISHOT_ENDS(0.1),
    /** Each receive: no buffer of the ring is free (ENOBUFS); it is armed anew when one comes back. */
    BUFFERS_EXHAUSTED(0.05),
    /** Each completion: the completion queue has overflowed; it is told by a later poll. */
    COMPLETIONS_OVERFLOW(0.02),
    /** Each completion: up to ten milliseconds late, behind those of other connections. */
    COMPLETION_LATE(0.1),
    /** Each stop or close while an operation is under way: the operation completes all the same, before the cancellation takes hold. */
    CANCEL_LOSES(0.3),
    /** Each {@linkplain io.trivet.net.Proactor#PENDING pending} send: its memory is read up to ten milliseconds late. */
    SEND_LATE(0.3),

    // Calls, once more.

    /**
     * Each stream that a poller like epoll is to watch, or to watch for something else: ENOMEM or ENOSPC. In the second case it watches the
     * stream no more.
     */
    WATCH_REFUSED(0.002);

    private final double usual;

    SimFault(double usual) {
        this.usual = usual;
    }

    /**
     * How probable it is in a plan that does not say otherwise.
     *
     * @return from 0 to 1
     */
    public double usualProbability() {
        return usual;
    }
}
