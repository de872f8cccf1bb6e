package io.trivet.server;

import io.trivet.net.Cidr;
import io.trivet.net.ListenOptions;
import io.trivet.net.Network;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UnixAddress;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ListenerSnapshot;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Accepts connections for all loops of a server, on the thread of the first loop: enforces the limits on connections, spreads
 * accepted connections over the loops, and backs off when the kernel cannot accept.
 *
 * <p>When descriptors run out, a listener stays readable and every accept fails. The acceptor then pauses, for 10 ms at first,
 * doubling up to 1 s. It continues when the {@link DescriptorReserve} could be opened again.
 */
final class Acceptor implements ConnectionSource {
    private static final long BACKOFF_MIN_NANOS = Duration.ofMillis(10).toNanos();
    private static final long BACKOFF_MAX_NANOS = Duration.ofSeconds(1).toNanos();
    /** Number of consecutive accepts without a connection after which a draining listener counts as empty. */
    private static final int EMPTY_ACCEPTS_BELIEVED = 4;
    /**
     * Upper bound of the waiting connections, as a multiple of the backlog: Linux lets one more wait, BSD systems half as many
     * more.
     */
    private static final long WAITING_PER_BACKLOG = 2;

    private final LoopGroup loops;
    private final AccessList access;
    /** The addresses of trusted proxies. */
    private final List<Cidr> proxies;
    private final int backlog;
    private final List<TcpListener> listeners;
    /** By listener: the options to set on each accepted connection; none if it inherits them. */
    private final List<ListenOptions> clientOptions;
    private final Log log;
    private final DescriptorReserve reserve;
    private final ConnectionLimit limit;
    /** True if accepting a client depends on its address. Otherwise the address is not read, which would make 120 bytes of garbage. */
    private final boolean dependsOnAddress;
    private volatile boolean accepting;
    /** True once this server has started to accept: the clients in the backlog are then its own. First loop's thread. */
    private boolean started;
    private volatile boolean ended;
    /** True from a failed accept until accepting has gone on for {@link #BACKOFF_MAX_NANOS}. */
    private volatile boolean backedOff;
    /** True until the server that is replaced has stopped accepting. */
    private volatile boolean awaitsHandover;
    /** True while the server that is replaced decides whether it leaves the backlog to this one. */
    private volatile boolean takingOver;
    /** True if a drain has begun during the takeover, and waits for that decision. First loop's thread. */
    private boolean drainAwaitsDecision;
    private long backoffNanos = BACKOFF_MIN_NANOS;

    /**
     * Creates an acceptor that does not accept yet.
     *
     * @param loops the loops, of which the first accepts; they may be added later, before {@link #start}
     * @param limits the limits of the numbers of connections
     * @param access the addresses that may connect
     * @param proxies the addresses that send a header of the PROXY protocol
     * @param listeners the listeners; may be added later, before {@link #start}. The acceptor closes them
     * @param clientOptions by listener: the options to set on each accepted connection
     * @param backlog the backlog of each listener
     */
    Acceptor(LoopGroup loops, Network network, Limits limits, AccessList access, List<Cidr> proxies,
            List<TcpListener> listeners, List<ListenOptions> clientOptions, int backlog, Log log) {
        this.loops = loops;
        this.access = access;
        this.proxies = proxies;
        this.listeners = listeners;
        this.clientOptions = clientOptions;
        this.backlog = backlog;
        this.log = log;
        reserve = new DescriptorReserve(network, log);
        limit = new ConnectionLimit(limits);
        dependsOnAddress = !proxies.isEmpty() || !access.allowsAll() || limits.connectionsPerAddressMax() > 0;
    }

    // ---- starting and pausing

    /** Starts to accept. Called before the loops turn, or on the thread of the first loop. */
    void start() throws IOException {
        if (ended) {
            return;
        }
        if (!listeners.isEmpty()) {
            reserve.open();
        }
        if (!accepting) {
            started = true;
            accepting = true;
            try {
                for (int i = 0; i < listeners.size(); i++) {
                    loops.first().proactor().accept(listeners.get(i), i);
                }
            } catch (IOException e) {
                pause(); // all listeners or none: the next attempt starts from the beginning
                throw e;
            }
        }
    }

    /**
     * Verifies that accepting can start, without accepting. So a lack of descriptors or memory is found before the server that is
     * replaced stops accepting. Called before the loops turn.
     */
    void prepare() throws IOException {
        awaitsHandover = true;
        if (!listeners.isEmpty()) {
            reserve.open();
        }
        Proactor proactor = loops.first().proactor();
        for (int i = 0; i < listeners.size(); i++) {
            proactor.accept(listeners.get(i), i);
        }
        for (TcpListener listener : listeners) {
            proactor.stopAccepting(listener);
        }
    }

    /**
     * Starts a takeover: the server that is replaced is about to decide whether it leaves the backlog to this one. Until then, a
     * drain does not drop the clients that wait. Any thread.
     */
    void beginTakeover() {
        takingOver = true;
    }

    /** Cancels the takeover: the server that is replaced continues, with the clients that wait. First loop's thread. */
    void cancelTakeover() {
        takingOver = false;
        if (drainAwaitsDecision) {
            drain();
        }
    }

    /**
     * Completes the takeover: accepts from now on. The clients that wait are this server's, even if a drain has begun. First
     * loop's thread.
     */
    void takeOver() {
        takingOver = false;
        awaitsHandover = false;
        started = true;
        if (drainAwaitsDecision) {
            drain();
        } else {
            resume();
        }
    }

    private void pause() {
        if (accepting) {
            accepting = false;
            for (TcpListener listener : listeners) {
                try {
                    loops.first().proactor().stopAccepting(listener);
                } catch (IOException e) {
                    log.closeFailed(e);
                }
            }
        }
    }

    /** Starts or resumes accepting, unless the limit is reached. On the thread of the first loop. */
    void resume() {
        if (ended) {
            return;
        }
        try {
            if (limit.isReached()) {
                return;
            }
            start();
            if (backedOff) {
                loops.first().after(BACKOFF_MAX_NANOS, this::endBackoff);
            }
        } catch (IOException e) {
            acceptFailed(e);
        }
    }

    /** Returns whether the listeners are watched, and why not. Any thread. */
    ListenerSnapshot.State state() {
        return ended ? ListenerSnapshot.State.CLOSED
                : accepting ? ListenerSnapshot.State.ACCEPTING
                : awaitsHandover ? ListenerSnapshot.State.AWAITING_HANDOVER
                : limit.isReached() ? ListenerSnapshot.State.AT_LIMIT
                : ListenerSnapshot.State.BACKED_OFF;
    }

    // ---- accepting

    @Override
    public boolean accepted(int listener, TcpStream stream) {
        InetSocketAddress remote = null;
        boolean isProxy = false;
        try {
            if (!UnixAddress.isUnix(listeners.get(listener).localAddress())) { // otherwise the permissions of its file decide
                if (dependsOnAddress) {
                    remote = stream.remoteAddress();
                    isProxy = AccessList.contains(proxies, remote.getAddress());
                    if (!isProxy && !access.allows(remote.getAddress())) {
                        log.refused(remote, CloseReason.ADDRESS_DENIED);
                        reset(stream);
                        return false;
                    }
                }
                ListenOptions options = clientOptions.get(listener);
                if (!options.equals(ListenOptions.none())) {
                    options.apply(stream::setOption);
                }
            }
        } catch (IOException e) { // the peer has already reset it: it does not count as a connection
            Lifecycle.closeQuietly(stream);
            return true;
        }
        if (ended) {
            Lifecycle.closeQuietly(stream);
            return true;
        }
        if (!admit(remote, isProxy)) {
            Lifecycle.closeQuietly(stream);
            return false;
        }
        try {
            loops.leastLoaded().adopt(listener, stream, remote, isProxy);
        } catch (RejectedExecutionException e) { // that loop has just ended
            Lifecycle.closeQuietly(stream);
            gone(isProxy ? null : remote);
        }
        return true;
    }

    /** Closes a socket so that its peer reads a reset, and not the end of a stream. */
    private static void reset(TcpStream stream) throws IOException {
        stream.setOption(StandardSocketOptions.SO_LINGER, 0);
        stream.close();
    }

    private boolean admit(@Nullable InetSocketAddress remote, boolean isProxy) {
        if (remote == null || isProxy) { // behind a proxy, the client's address is counted when the header has been read
            limit.addUnidentified();
        } else {
            CloseReason refusal = limit.add(remote);
            if (refusal != null) {
                log.refused(remote, refusal);
                return false;
            }
        }
        if (limit.isReached()) {
            pause(); // further clients wait in the backlog, and the listeners cause no events meanwhile
            log.connectionsAtLimit(limit.connectionsMax());
        }
        return true;
    }

    @Override
    public @Nullable CloseReason identified(InetSocketAddress client, boolean isProxy) {
        return isProxy || access.allows(client.getAddress()) ? limit.addAddress(client) : CloseReason.ADDRESS_DENIED;
    }

    @Override
    public void gone(@Nullable InetSocketAddress client) {
        if (limit.remove(client)) {
            loops.first().mailbox().run(this::resume);
        }
    }

    // ---- backing off

    @Override
    public void acceptFailed(IOException failure) {
        if (ended) {
            return;
        }
        pause();
        FlightEvents.acceptFailed(failure);
        if (!backedOff) {
            backedOff = true;
            log.acceptFailed(failure); // logged once, however long the cause lasts
        }
        reserve.close();
        long delay = backoffNanos;
        backoffNanos = Math.min(BACKOFF_MAX_NANOS, backoffNanos * 2);
        loops.first().after(delay, this::tryAgain);
    }

    private void tryAgain() {
        if (ended) {
            return;
        }
        try {
            reserve.open();
            // Accepts now, not on a later event: if the reserve has used the last descriptors, this fails, and the reserve is
            // closed again before a handler runs.
            for (int i = 0; i < listeners.size(); i++) {
                TcpStream stream = limit.isReached() ? null : listeners.get(i).accept();
                if (stream != null) {
                    loops.first().dispatcher().accepted(i, stream);
                }
            }
        } catch (IOException e) {
            acceptFailed(e);
            return;
        }
        resume();
    }

    /** Accepting has worked for a while: the next failure is logged again, and backs off from the shortest time. */
    private void endBackoff() {
        if (accepting && backedOff) {
            backedOff = false;
            backoffNanos = BACKOFF_MIN_NANOS;
            log.acceptsAgain();
        }
    }

    // ---- the end

    /**
     * Accepts the connections that wait in the backlog, up to the limit, then stops accepting. Closing the listener would reset
     * them; a draining loop closes them gracefully. If it is not known yet whether they are this server's, waits for that.
     */
    void drain() {
        drainAwaitsDecision = takingOver;
        if (!ended && !takingOver) {
            pause();
            for (int i = 0; i < listeners.size() && started; i++) {
                try {
                    acceptBacklog(i);
                } catch (IOException e) {
                    log.closeFailed(e);
                }
            }
            end();
        }
    }

    private void acceptBacklog(int listener) throws IOException {
        // Accepts at most as many as could wait when the draining started: later clients may be refused. Tries again after an
        // empty accept: a network may deny readiness for a moment, and a client that is overlooked here is reset.
        int emptyAccepts = 0;
        long left = WAITING_PER_BACKLOG * backlog;
        while (left > 0 && emptyAccepts < EMPTY_ACCEPTS_BELIEVED && !limit.isReached()) {
            TcpStream stream = listeners.get(listener).accept();
            if (stream == null) {
                emptyAccepts++;
            } else {
                emptyAccepts = 0;
                left--;
                loops.first().dispatcher().accepted(listener, stream);
            }
        }
    }

    /**
     * Stops accepting, and leaves the listeners and the clients that wait to another process that has copies of the descriptors.
     *
     * @return the indices of the listeners whose files the other process should own
     */
    List<Integer> leave() {
        List<Integer> withFile = new ArrayList<>();
        if (!ended) {
            for (int i = 0; i < listeners.size(); i++) {
                if (listeners.get(i).share()) {
                    withFile.add(i);
                }
            }
            end();
        }
        return withFile;
    }

    @Override
    public void end() {
        if (!ended) {
            pause();
            ended = true;
            for (TcpListener listener : listeners) {
                try {
                    listener.close();
                } catch (IOException e) {
                    log.closeFailed(e);
                }
            }
            reserve.close();
            loops.all().forEach(loop -> loop.mailbox().wakeup()); // loops that drain wait for this
        }
    }

    @Override
    public boolean hasEnded() {
        return ended;
    }
}
