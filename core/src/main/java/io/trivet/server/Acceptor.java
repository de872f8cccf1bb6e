package io.trivet.server;

import io.trivet.net.Pipe;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Accepts for all loops of a server, on the first one's thread: counts, refuses, spreads, and waits when the kernel has nothing left.
 *
 * <p>When descriptors run out, a listener stays readable and every accept fails: then nothing is accepted for a while, doubling from 10 ms to
 * 1 s. Two descriptors are kept in reserve, so that whatever runs meanwhile (a log file, a class to load) finds one; accepting goes on when
 * the reserve could be opened again.
 */
final class Acceptor {
    private static final long BACKOFF_MIN_NANOS = Duration.ofMillis(10).toNanos();
    /** So often in a row a listener that drains must say that no one waits. */
    private static final int DENIALS_BELIEVED = 4;
    /** More wait than the backlog says: on Linux one more, on BSD and its kin half as many more. */
    private static final long WAITING_PER_BACKLOG = 2;
    private static final long BACKOFF_MAX_NANOS = Duration.ofSeconds(1).toNanos();

    private final Server server;
    private final Server.Settings settings;
    private final List<TcpListener> listeners;
    /** How many connections each address has; empty when there is no limit to them. Guarded by itself, since any loop closes. */
    private final Map<InetAddress, Integer> perAddress = new LinkedHashMap<>();

    private @Nullable Pipe reserve;
    private boolean accepting;
    private volatile boolean ended;
    private boolean troubled;
    private long backoffNanos = BACKOFF_MIN_NANOS;
    /** The accepted connections of all loops. Guarded by {@link #perAddress}. */
    private int connections;

    private boolean atLimit;

    Acceptor(Server server, Server.Settings settings, List<TcpListener> listeners) {
        this.server = server;
        this.settings = settings;
        this.listeners = listeners;
    }

    private EventLoop loop() {
        return server.loops().getFirst();
    }

    /** Begins to accept. Before the loops turn, or on the first one's thread. */
    void begin() throws IOException {
        if (ended) {
            return;
        }
        if (reserve == null && !listeners.isEmpty()) {
            reserve = settings.network().pipe();
        }
        if (!accepting) {
            accepting = true;
            try {
                for (int i = 0; i < listeners.size(); i++) {
                    loop().proactor().accept(listeners.get(i), i);
                }
            } catch (IOException e) {
                pause(); // all or none: the next attempt begins anew
                throw e;
            }
        }
    }

    private void pause() {
        if (accepting) {
            accepting = false;
            for (TcpListener listener : listeners) {
                try {
                    loop().proactor().stopAccepting(listener);
                } catch (IOException e) {
                    server.log().closeFailed(e);
                }
            }
        }
    }

    /** A connection came. */
    void accepted(TcpStream stream) {
        InetSocketAddress remote;
        try {
            remote = stream.remoteAddress();
            stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
            server.keepAlive(stream);
        } catch (IOException e) { // reset before it was looked at: it never was a connection
            closeQuietly(stream);
            return;
        }
        if (ended || !admit(remote)) {
            closeQuietly(stream);
            return;
        }
        EventLoop loop = leastLoaded();
        loop.expect();
        if (loop.isOwnThread()) {
            loop.adopt(stream, remote);
        } else {
            try {
                loop.execute(() -> loop.adopt(stream, remote));
            } catch (RejectedExecutionException e) { // it has stopped just now
                closeQuietly(stream);
                loop.expectNoMore();
                gone(remote);
            }
        }
    }

    private EventLoop leastLoaded() {
        EventLoop least = loop();
        for (EventLoop other : server.loops()) {
            if (other.load() < least.load()) {
                least = other;
            }
        }
        return least;
    }

    private boolean admit(InetSocketAddress remote) {
        Limits limits = settings.limits();
        synchronized (perAddress) {
            if (limits.connectionsPerAddressMax() > 0) {
                int already = perAddress.getOrDefault(remote.getAddress(), 0);
                if (already >= limits.connectionsPerAddressMax()) {
                    server.log().refused(remote, CloseReason.TOO_MANY_FROM_ADDRESS);
                    return false;
                }
                perAddress.put(remote.getAddress(), already + 1);
            }
            connections++;
            atLimit = connections >= limits.connectionsMax();
            if (!atLimit) {
                return true;
            }
        }
        pause(); // those who come wait in the backlog; nothing is asked of the listener meanwhile
        server.log().connectionsAtLimit(limits.connectionsMax());
        return true;
    }

    private boolean isAtLimit() {
        synchronized (perAddress) {
            return atLimit;
        }
    }

    /** An accepted connection is gone. Any loop's thread. */
    void gone(InetSocketAddress remote) {
        boolean resume;
        synchronized (perAddress) {
            connections--;
            if (settings.limits().connectionsPerAddressMax() > 0) {
                perAddress.computeIfPresent(remote.getAddress(), (address, count) -> count == 1 ? null : count - 1);
            }
            resume = atLimit && connections < settings.limits().connectionsMax();
            atLimit = atLimit && !resume;
        }
        if (resume) {
            loop().run(this::resume);
        }
    }

    /** An accept failed. */
    void failed(IOException failure) {
        if (ended) {
            return;
        }
        pause();
        if (!troubled) {
            troubled = true;
            server.log().acceptFailed(failure); // once, however long it lasts
        }
        closeReserve();
        long delay = backoffNanos;
        backoffNanos = Math.min(BACKOFF_MAX_NANOS, backoffNanos * 2);
        loop().after(delay, this::tryAgain);
    }

    private void tryAgain() {
        if (ended) {
            return;
        }
        try {
            if (reserve == null) {
                reserve = settings.network().pipe();
            }
            // At once, and not by a later event: if that was the last descriptor, no handler may run until the reserve is free again.
            for (TcpListener listener : listeners) {
                TcpStream stream = isAtLimit() ? null : listener.accept();
                if (stream != null) {
                    loop().accepted(listeners.indexOf(listener), stream);
                }
            }
        } catch (IOException e) {
            failed(e);
            return;
        }
        resume();
    }

    private void resume() {
        if (ended) {
            return;
        }
        try {
            if (isAtLimit()) {
                return;
            }
            begin();
            if (troubled) {
                loop().after(BACKOFF_MAX_NANOS, this::isWell);
            }
        } catch (IOException e) {
            failed(e);
        }
    }

    /** A while after accepting went on: if it has not failed again, the trouble is over. */
    private void isWell() {
        if (accepting && troubled) {
            troubled = false;
            backoffNanos = BACKOFF_MIN_NANOS;
            server.log().acceptsAgain();
        }
    }

    /**
     * Accepts no more, and first takes over who waits in the backlog, as far as the limit of connections allows: closing the listener would
     * reset them, and a loop that drains lets them go in an orderly way.
     */
    void drain() {
        if (!ended) {
            pause();
            for (TcpListener listener : listeners) {
                try {
                    // No more than could wait when the draining began: who comes now may be refused. And asked again when nobody seems
                    // to wait: readiness may be denied for a moment, and whoever is overlooked here is reset.
                    int denials = 0;
                    long left = WAITING_PER_BACKLOG * settings.backlog();
                    while (left > 0 && denials < DENIALS_BELIEVED && !isAtLimit()) {
                        TcpStream stream = listener.accept();
                        if (stream == null) {
                            denials++;
                        } else {
                            denials = 0;
                            left--;
                            accepted(stream);
                        }
                    }
                } catch (IOException e) {
                    server.log().closeFailed(e);
                }
            }
            end();
        }
    }

    /** Accepts no more, at once. */
    void end() {
        if (!ended) {
            pause();
            ended = true;
            for (TcpListener listener : listeners) {
                try {
                    listener.close();
                } catch (IOException e) {
                    server.log().closeFailed(e);
                }
            }
            closeReserve();
            server.loops().forEach(EventLoop::wakeup); // those that drain wait for this
        }
    }

    /** Whether no loop will be given a further connection; those that were on their way are counted there. Any thread. */
    boolean hasEnded() {
        return ended;
    }

    private void closeReserve() {
        Pipe open = reserve;
        reserve = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                server.log().closeFailed(e);
            }
        }
    }

    /** Closes what nobody will use: an error of that concerns no one. */
    static void closeQuietly(TcpStream stream) {
        try {
            stream.close();
        } catch (IOException e) {
            // It is gone, which is all that was wanted.
        }
    }
}
