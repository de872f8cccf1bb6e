package io.trivet.nats;

import io.trivet.server.ScheduledTask;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the link to the bus: connects, and connects again after a wait that doubles and is random, so that the servers do not all
 * come at once. What a link reports reaches the loop through the inbox. Loop thread only.
 */
final class Connector {
    /** What the relay does when the link changes. */
    interface Owner {
        /** The link is connected: nothing is subscribed to. */
        void up();

        /** The bus is away; the next attempt will come by itself. */
        void away(String reason);

        /** The link that {@link #end} has ended is closed. */
        void ended();

        /** A message has arrived. */
        void received(byte[] message);

        /** A message that the bus has kept was read. */
        void receivedKept(byte[] message);

        /** The bus reports that it has dropped messages. */
        void slow();

        /** The messages of a subject that the bus has kept were read, as far as possible. */
        void fetched(String subject);

        /** The messages that the bus should keep cannot be read. */
        void historyProblem(String problem);
    }

    /** One link. What it reports after a newer one was made is ignored. */
    private final class Attempt implements Bus.Events {
        @Override
        public void onConnected() {
            inbox.put(() -> {
                if (attempt == this) {
                    state = BusState.UP;
                    upSinceNanos = server.network().clock().nanoTime();
                    connects++;
                    reason = "";
                    owner.up();
                }
            });
        }

        @Override
        public void onMessage(byte[] message) {
            if (inbox.put(() -> {
                if (attempt == this) {
                    owner.received(message);
                }
            }, Wire.isMessage(message) ? inbound : inboundControl, message.length) == SendResult.FULL) {
                overruns.incrementAndGet();
            }
        }

        @Override
        public void onKept(byte[] message) {
            if (inbox.put(() -> {
                if (attempt == this) {
                    owner.receivedKept(message);
                }
            }, inbound, message.length) == SendResult.FULL) {
                overruns.incrementAndGet();
            }
        }

        @Override
        public void onFetched(String subject) {
            inbox.put(() -> {
                if (attempt == this) {
                    owner.fetched(subject);
                }
            });
        }

        @Override
        public void onHistoryProblem(String problem) {
            inbox.put(() -> {
                if (attempt == this) {
                    owner.historyProblem(problem);
                }
            });
        }

        @Override
        public boolean mayFetchMore() {
            return inbound.bytes() < options.inboundBytesMax() / 2;
        }

        @Override
        public void onSlow() {
            inbox.put(owner::slow);
        }

        @Override
        public void onClosed(String reason) {
            inbox.put(() -> {
                if (attempt == this) {
                    closed(reason);
                }
            });
        }
    }

    private final Bus bus;
    private final Server server;
    private final Timers timers;
    private final RelayOptions options;
    private final RandomGenerator random;
    private final Inbox inbox;
    private final Inbox.Share inbound;
    /** The share of heartbeats and presence: they show what was lost, so a flood of messages must not displace them. */
    private final Inbox.Share inboundControl;
    private final Owner owner;
    private BusState state = BusState.AWAY;
    private @Nullable Attempt attempt;
    /** Loop thread only, except {@link #abandon}. */
    private volatile Bus.@Nullable Link link;
    private @Nullable ScheduledTask timer;
    private volatile boolean isEnding;
    /** The link sends what it has accepted, in bounded time, and closes by itself. */
    private volatile boolean isFinishing;
    private long waitNanos;
    private long startedNanos;
    private long upSinceNanos;
    /** Since when the bus has not been reached, while it is not. */
    private long awaySinceNanos;
    private String reason = "";
    private long connects;
    private long failures;
    /** Any thread. */
    private final AtomicLong overruns = new AtomicLong();

    Connector(Bus bus, Server server, Timers timers, RelayOptions options, RandomGenerator random, Inbox inbox, Owner owner) {
        this.bus = bus;
        this.server = server;
        this.timers = timers;
        this.options = options;
        this.random = random;
        this.inbox = inbox;
        this.owner = owner;
        inbound = new Inbox.Share(options.inboundBytesMax());
        inboundControl = new Inbox.Share(options.inboundBytesMax());
        waitNanos = options.backoffMin().toNanos();
        awaySinceNanos = server.network().clock().nanoTime();
    }

    /** Starts an attempt, unless the link has been ended. */
    void connect() {
        timer = null;
        if (isEnding) {
            return;
        }
        state = BusState.CONNECTING;
        startedNanos = server.network().clock().nanoTime();
        Attempt next = new Attempt();
        attempt = next;
        Bus.Link made = bus.connect(next);
        link = made;
        if (isEnding) { // abandoned meanwhile, maybe before the other thread could see this link
            made.close();
        }
    }

    private void closed(String why) {
        boolean wasUp = state == BusState.UP;
        attempt = null;
        link = null;
        reason = why;
        awaySinceNanos = wasUp ? server.network().clock().nanoTime() : awaySinceNanos;
        if (isEnding) {
            state = BusState.CLOSED;
            owner.ended();
            return;
        }
        failures++;
        state = BusState.AWAY;
        // A bus that cuts each link at once is as bad as one that is away.
        if (wasUp && server.network().clock().nanoTime() - upSinceNanos >= options.backoffMax().toNanos()) {
            waitNanos = options.backoffMin().toNanos();
        }
        double part = 0.5 + random.nextDouble() / 2;
        // Counts from the start of the attempt: one that has waited for a bus that does not answer need not be followed by another long wait.
        long taken = server.network().clock().nanoTime() - startedNanos;
        long wait = Math.max((long) (part * waitNanos) - taken, (long) (part * options.backoffMin().toNanos()));
        waitNanos = Math.min(2 * waitNanos, options.backoffMax().toNanos());
        owner.away(why);
        timer = timers.schedule(Duration.ofNanos(wait), this::connect);
    }

    /** Returns the link if it is connected. */
    Bus.@Nullable Link link() {
        return state == BusState.UP ? link : null;
    }

    /** Ends the link, and makes no other. {@link Owner#ended} follows. */
    void end(boolean sendsAccepted) {
        Bus.Link last = link;
        boolean isFirst = !isEnding;
        isEnding = true;
        if (timer != null) {
            timer.cancel();
        }
        if (state == BusState.UP && last != null) {
            if (sendsAccepted) {
                isFinishing = true;
                last.finish();
            } else {
                last.close();
            }
            return;
        }
        if (last != null) {
            last.close();
            attempt = null; // an attempt under way may take seconds to end, and carries nothing
            link = null;
        }
        state = BusState.CLOSED;
        if (isFirst) {
            owner.ended();
        }
    }

    /** Closes the link, because the loop has ended and nothing can be reported any more. Any thread. */
    void abandon() {
        isEnding = true;
        Bus.Link last = link;
        if (last != null && !isFinishing) {
            last.close();
        }
    }

    BusState state() {
        return state;
    }

    /** Returns since when the bus has been reached, or has not been reached. */
    long sinceNanos() {
        return state == BusState.UP ? upSinceNanos : awaySinceNanos;
    }

    /** Returns why the last attempt has failed, or the link was lost; empty while the bus is reached, and before. */
    String reason() {
        return reason;
    }

    long connects() {
        return connects;
    }

    long failures() {
        return failures;
    }

    long overruns() {
        return overruns.get();
    }
}
