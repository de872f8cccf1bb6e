package io.trivet.view;

import io.trivet.observe.ServerStats;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A live view of a server, for a browser and for programs: which socket is in which of the three lists and why, the clients with
 * their queues, charts of the last ten minutes, and metrics.
 *
 * {@snippet :
 * try (Server server = Server.builder().listen(address).handler(handler).start();
 *         View view = View.of(server).start()) {
 *     System.out.println(view.url());
 *     server.join();
 * }
 * }
 *
 * <p><b>Safety.</b> It listens on the loopback interface by default, and gives data only to a reader who knows its token, a
 * random text that is part of {@link #url}. Requests from pages of other sites are refused. Without
 * {@link Builder#allowControl} the server can be seen and not changed. The view is served in plaintext: to reach it from another
 * machine, forward its port with ssh. It bounds the connections and requests of the JDK's HTTP server by system properties, unless they
 * are set: {@code jdk.httpserver.maxConnections}, {@code sun.net.httpserver.maxReqTime} and {@code sun.net.httpserver.maxReqHeaders}. They
 * apply to every {@code HttpServer} of the process.
 *
 * <p><b>Cost.</b> While no page is open, a few counters are read once a second. While a page is open, all connections are read up to four
 * times a second, and at least once.
 *
 * <p>Paths: {@code /} the page, {@code /api/state} everything as JSON, {@code /metrics} for Prometheus. Programs pass the token as
 * {@code Authorization: Bearer TOKEN}, or as the query's {@code token}.
 *
 * <p><b>Threads.</b> Every method may be called from any thread.
 */
public final class View implements AutoCloseable {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration TICK_MIN = Duration.ofMillis(250);
    /** A sample may take up to this part of the time. */
    private static final int SAMPLE_SHARE = 100;
    private static final Duration STUCK_AFTER = Duration.ofSeconds(10);
    /** When no page has been open for this long, a pause ends, and the tour's client is closed. */
    private static final Duration UNWATCHED_MAX = Duration.ofSeconds(5);

    private final Server server;
    private final Site site;
    private final PauseGate gate;
    private final Journal journal;
    private final Sampler sampler;
    private final History history = new History();
    private final Subscribers subscribers;
    private final StateJson json;
    private final @Nullable Control control;
    private final Thread ticker;
    private volatile boolean closed;
    private boolean observing;

    private View(Builder settings) throws IOException {
        server = settings.server;
        int loops = server.stats().loops().size();
        gate = new PauseGate(loops, server::isClosed);
        journal = new Journal(loops, gate);
        sampler = new Sampler(server);
        Panels panels = new Panels(settings.panels);
        ticker = Thread.ofPlatform().name("trivet-view").daemon().unstarted(this::tick);
        subscribers = new Subscribers(STUCK_AFTER, this::wake);
        control = settings.control ? new Control(server, gate, this::beginPause) : null;
        json = new StateJson(server, journal, gate, control, settings.description == null
                ? server.network().name()
                : settings.description, panels);
        site = new Site(settings.address, settings.token, settings.hostNames,
                new LiveData(sampler, json, history, subscribers, panels, control));
    }

    /**
     * Returns a builder of a view.
     *
     * @param server the server to watch, started or opened; it may have one view at a time
     * @return a builder, which listens at a free port of the loopback interface, with a random token, and without control
     */
    public static Builder of(Server server) {
        return new Builder(server);
    }

    /**
     * Returns the address at which the view listens.
     *
     * @return the address, with the port in use
     */
    public InetSocketAddress address() {
        return site.address();
    }

    /**
     * Returns the address to open in a browser, token included. Anyone with this address can see the server, and control it if that is allowed.
     *
     * @return the address
     */
    public URI url() {
        return site.url();
    }

    /**
     * Returns the token.
     *
     * @return the token that programs pass as {@code Authorization: Bearer TOKEN}
     */
    public String token() {
        return site.token();
    }

    /**
     * Ends a pause of the loops, if there is one. Call it before the server is drained: a loop that stands still cannot drain.
     */
    public void resume() {
        gate.resume();
    }

    /** Ends the view, and a pause of the loops. The server continues. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        gate.close();
        stopObserving();
        subscribers.close();
        LockSupport.unpark(ticker);
        site.close();
        if (control != null) {
            control.end();
        }
    }

    // ---- the ticker

    private void tick() {
        long nextPoint = System.nanoTime();
        long lastWatched = System.nanoTime();
        while (!closed) {
            long now = System.nanoTime();
            History.Point point = null;
            if (now - nextPoint >= 0) {
                point = history.add(server.stats(), now, System.currentTimeMillis());
                nextPoint = Math.max(nextPoint + SECOND.toNanos(), now + SECOND.toNanos() / 2);
            }
            boolean isWatched = subscribers.count() > 0;
            if (isWatched) {
                lastWatched = now;
            } else if (now - lastWatched > UNWATCHED_MAX.toNanos()) {
                gate.resume();
                if (control != null && control.tourAddress() != null) {
                    control.end();
                }
            }
            observe(isWatched || gate.isPaused());
            if (isWatched) {
                subscribers.publish(json.tick(sampler.sample(Duration.ZERO), 0, point));
            }
            long pause = isWatched ? Math.min(SECOND.toNanos(), Math.max(TICK_MIN.toNanos(), sampler.tookNanos() * SAMPLE_SHARE))
                    : SECOND.toNanos();
            LockSupport.parkNanos(this, Math.max(1, Math.min(pause, nextPoint - System.nanoTime())));
        }
    }

    /** Attaches the journal to the loops while a page is open: otherwise they report nothing. */
    private synchronized void observe(boolean wanted) {
        if (wanted != observing && !closed) {
            observing = wanted;
            attach(wanted ? journal : null);
        }
    }

    private synchronized void stopObserving() {
        closed = true;
        server.observe(null);
    }

    private void wake() {
        LockSupport.unpark(ticker);
    }

    private void attach(@Nullable Journal observer) {
        ServerStats stats = server.stats();
        journal.countFrom(stats.total().turns());
        journal.awaitTurns(stats.loops().stream().map(loop -> observer != null && loop.turns() > 0).toList());
        server.observe(observer);
    }

    /** Makes the loops turn, so that a pause begins at once. */
    private synchronized void beginPause() {
        if (!closed) {
            observing = true;
            attach(journal);
        }
        wake();
    }

    private void startServing() {
        site.start();
        ticker.start();
    }

    /** Settings of a view. One thread. */
    public static final class Builder {
        private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9_-]{16,128}");
        private static final Pattern PANEL = Pattern.compile("[a-z][a-z0-9]{0,23}");

        private final Server server;
        private InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        private boolean control;
        private @Nullable String token;
        private @Nullable String description;
        private final List<String> hostNames = new ArrayList<>();
        private final List<Panels.Source> panels = new ArrayList<>();

        private Builder(Server server) {
            this.server = Objects.requireNonNull(server, "server");
        }

        /**
         * Sets where the view listens. Outside of the loopback interface, anyone on the network can read the token and what the view
         * shows, because it is served in plaintext.
         *
         * @param address the address; port 0: a free one
         * @return this builder
         */
        public Builder listen(InetSocketAddress address) {
            this.address = Objects.requireNonNull(address, "address");
            return this;
        }

        /**
         * Allows readers to pause the loops, to turn them step by step, and to close connections.
         *
         * @param allowed true to allow it; the default is false
         * @return this builder
         */
        public Builder allowControl(boolean allowed) {
            control = allowed;
            return this;
        }

        /**
         * Sets the token, so that the address stays the same when the program is started again.
         *
         * @param token from 16 to 128 letters, digits, {@code -} and {@code _}, that cannot be guessed
         * @return this builder
         * @throws IllegalArgumentException the token is too short or too long, or has other characters
         */
        public Builder token(String token) {
            if (!TOKEN.matcher(token).matches()) {
                throw new IllegalArgumentException("a token has from 16 to 128 letters, digits, - and _");
            }
            this.token = token;
            return this;
        }

        /**
         * Adds a name by which browsers reach the view, besides localhost and IP addresses. Requests for other names are refused.
         *
         * @param name a host name, without a port
         * @return this builder
         */
        public Builder hostName(String name) {
            hostNames.add(name);
            return this;
        }

        /**
         * Sets what the page says about the server's engine.
         *
         * @param description the engine, and why it was chosen; the default is the name of the network
         * @return this builder
         */
        public Builder engine(String description) {
            this.description = description;
            return this;
        }

        /**
         * Adds a panel: a tab of the page that shows another part of the program. At most five panels can be added.
         *
         * @param name its name for programs, and in the names of its metrics: up to 24 letters from a to z and digits, such as {@code relay}
         * @param title the text of its tab
         * @param source returns the panel as it is now. Called on threads of the view, about once a second while a page is open, and for each
         *     request of a program, at the same time on several threads. It must return at once. If it throws an exception, the panel shows that
         * @return this builder
         * @throws IllegalArgumentException the name has other characters, is taken, or is reserved for the page or the server's metrics; or there
         *     are too many panels
         */
        public Builder panel(String name, Panel.Text title, Supplier<Panel> source) {
            if (!PANEL.matcher(name).matches() || Panels.RESERVED.contains(name)
                    || panels.stream().anyMatch(panel -> panel.name().equals(name))) {
                throw new IllegalArgumentException(
                        "a panel needs a name of its own, of up to 24 letters from a to z and digits, and not '" + name + "'");
            }
            if (panels.size() == Panels.MAX) {
                throw new IllegalArgumentException("a view has at most " + Panels.MAX + " panels");
            }
            panels.add(new Panels.Source(name, Objects.requireNonNull(title, "title"), Objects.requireNonNull(source, "source")));
            return this;
        }

        /**
         * Starts the view.
         *
         * @return the view, which is to be closed
         * @throws IOException it cannot listen at the address
         */
        public View start() throws IOException {
            View view = new View(this);
            view.startServing();
            return view;
        }
    }
}
