package io.trivet.server;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Looks up the addresses of host names. The system's resolver may block for minutes and cannot be interrupted, so it never runs
 * on a loop. It runs on platform threads, because a blocked virtual thread would pin its carrier. A thread ends when no name is
 * left to look up. Concurrent requests for the same name share one lookup. Any thread.
 */
final class HostLookup {
    /**
     * Maximum number of names that are looked up at the same time. Further names wait, within the deadlines of their connects.
     */
    static final int LOOKUPS_MAX = 64;

    private final Resolver resolver;
    private final Executor threads;
    /** The listeners of each name that is being looked up or waits for a thread. Guarded by this. */
    private final TreeMap<String, List<Listener>> listeners = new TreeMap<>();
    /** The names that wait for a thread. Guarded by this. */
    private final ArrayDeque<String> waiting = new ArrayDeque<>();
    private int running;

    /** Returns the addresses of a host name. May block. */
    interface Resolver {
        InetAddress[] resolve(String host) throws UnknownHostException;
    }

    /**
     * Receives the outcome of a lookup. Called on the lookup's thread, or by {@link #start} if the name is a literal address or
     * no thread could be started.
     */
    interface Listener {
        /**
         * Called once, unless the listener was {@linkplain #cancel cancelled}.
         *
         * @param addresses the addresses, in the resolver's order; empty if there is a failure
         * @param failure why there is no address, or null
         */
        void lookedUp(List<InetAddress> addresses, @Nullable UnknownHostException failure);
    }

    /** The addresses of a name, or why there is none. */
    private record Outcome(List<InetAddress> addresses, @Nullable UnknownHostException failure) {}

    HostLookup(Resolver resolver, Executor threads) {
        this.resolver = resolver;
        this.threads = threads;
    }

    /** Returns a lookup with the system's resolver, and daemon threads. */
    static HostLookup ofSystem() {
        return new HostLookup(InetAddress::getAllByName,
                task -> Thread.ofPlatform().name("trivet-lookup").daemon().start(task));
    }

    /** Returns a lookup that fails, for a network without host names. */
    static HostLookup refusing(String network) {
        return new HostLookup(host -> {
            throw new UnknownHostException("unknown host '" + host + "': the network " + network + " has no names");
        }, Runnable::run);
    }

    /** Starts to look up a name. A literal address is reported at once. */
    void start(String host, Listener listener) {
        InetAddress literal = literal(host);
        if (literal != null) {
            listener.lookedUp(List.of(literal), null);
            return;
        }
        synchronized (this) {
            List<Listener> same = listeners.get(host);
            if (same != null) {
                same.add(listener);
                return;
            }
            listeners.put(host, new ArrayList<>(List.of(listener)));
            waiting.addLast(host);
            if (running == LOOKUPS_MAX) {
                return;
            }
            running++;
        }
        try {
            threads.execute(this::lookUpAll);
        } catch (OutOfMemoryError e) { // no thread can be started
            startFailed(host);
        }
    }

    /** Removes a listener. If the outcome is being reported at this moment, the listener may still be called. */
    synchronized void cancel(String host, Listener listener) {
        List<Listener> same = listeners.get(host);
        if (same != null && same.remove(listener) && same.isEmpty() && waiting.remove(host)) {
            listeners.remove(host);
        }
    }

    private void startFailed(String host) {
        boolean isWaiting;
        synchronized (this) {
            running--;
            isWaiting = waiting.remove(host); // otherwise another thread has taken it
        }
        if (isWaiting) {
            report(host, new Outcome(List.of(),
                    new UnknownHostException("unknown host '" + host + "': no thread could be started to look it up")));
        }
    }

    private void lookUpAll() {
        for (String host = next(); host != null; host = next()) {
            report(host, lookUp(host));
        }
    }

    private synchronized @Nullable String next() {
        String host = waiting.pollFirst();
        if (host == null) {
            running--;
        }
        return host;
    }

    private Outcome lookUp(String host) {
        try {
            if (host.isBlank()) { // the resolver would return the loopback address
                throw new UnknownHostException("unknown host: the name is empty");
            }
            List<InetAddress> addresses = List.of(resolver.resolve(host));
            if (addresses.isEmpty()) {
                throw new UnknownHostException("unknown host '" + host + "': it has no address");
            }
            return new Outcome(addresses, null);
        } catch (UnknownHostException e) {
            return new Outcome(List.of(), failure(host, e));
        } catch (RuntimeException | Error e) { // from an application's resolver (java.net.spi), or out of memory
            UnknownHostException failure = new UnknownHostException("unknown host '" + host + "': " + e);
            failure.initCause(e);
            return new Outcome(List.of(), failure);
        }
    }

    private static UnknownHostException failure(String host, UnknownHostException cause) {
        String message = cause.getMessage();
        if (message != null && message.startsWith("unknown host")) {
            return cause;
        }
        String reason = message != null && message.startsWith(host + ": ") ? message.substring(host.length()) : "";
        UnknownHostException clear = new UnknownHostException("unknown host '" + host + "'" + reason);
        clear.initCause(cause);
        return clear;
    }

    private void report(String host, Outcome outcome) {
        List<Listener> all;
        synchronized (this) {
            all = listeners.remove(host);
        }
        if (all != null) {
            for (Listener listener : all) {
                listener.lookedUp(outcome.addresses, outcome.failure);
            }
        }
    }

    private static @Nullable InetAddress literal(String host) {
        try {
            return InetAddress.ofLiteral(host);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
