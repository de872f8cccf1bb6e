package io.trivet.nats;

import io.trivet.net.Clock;
import io.trivet.net.Loop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A simulated bus: one broker with a link to each server. It delays, drops, and repeats messages after a reconnect, delivers late what was sent
 * on an old link, separates servers from the broker, and dies. Within a link, the order is kept. One seed decides everything. It
 * also delivers to the publisher.
 */
final class SimBus implements Loop {
    /** How long a link lives during a partition before it is noticed. */
    private static final long DETECTION_NANOS = 300_000_000;
    private static final int REPEATED_MAX = 5;
    private static final int WINDOW_BYTES = 4096;
    private static final int MESSAGE_BYTES_MAX = 2048;

    /** A message that the broker keeps. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Kept(String subject, byte[] message, long atNanos) {}

    private record MessageId(long server, String stream, long number) {}

    private record Event(long at, long order, Runnable action) {}

    private final Clock clock;
    private final Random random;
    private final PriorityQueue<Event> events = new PriorityQueue<>((a, b) -> {
        int byTime = Long.compare(a.at - b.at, 0);
        return byTime != 0 ? byTime : Long.compare(a.order, b.order);
    });
    private final List<@Nullable SimLink> links = new ArrayList<>();
    private final List<Boolean> separated = new ArrayList<>();
    /** The last messages delivered to each server, which may be repeated after a reconnect. */
    private final List<List<byte[]>> delivered = new ArrayList<>();
    private final List<Kept> kept = new ArrayList<>();
    /** When the broker first got each message. */
    private final Map<MessageId, Long> arrivals = new HashMap<>();
    private final boolean keeps;
    private long order;
    private boolean isDead;
    private long delayNanosMax = 2_000_000;
    /** The greatest of all delays so far. */
    private long longestDelayNanos = delayNanosMax;
    private long connectTimeoutNanos;
    private double dropProbability;
    private boolean repeats;
    private long faults;

    /**
     * Creates a bus.
     *
     * @param keeps true: the broker keeps every message, for {@link Bus.Link#fetch}
     */
    SimBus(Clock clock, long seed, boolean keeps) {
        this.clock = clock;
        this.keeps = keeps;
        random = new Random(seed);
    }

    /** Returns the bus as a server sees it. */
    Bus of(int server) {
        while (links.size() <= server) {
            links.add(null);
            separated.add(false);
            delivered.add(new ArrayList<>());
        }
        return notified -> {
            SimLink link = new SimLink(server, notified);
            links.set(server, link);
            link.connect();
            return link;
        };
    }

    // ---- faults

    /** Returns how many faults there were. */
    long faults() {
        return faults;
    }

    void die() {
        faults++;
        isDead = true;
        links.forEach(link -> {
            if (link != null) {
                link.cut("the broker has died");
            }
        });
    }

    void revive() {
        isDead = false;
    }

    /** Separates a server from the broker: what is on its way waits, until the link is noticed to be dead. */
    void separate(int server) {
        faults++;
        separated.set(server, true);
        SimLink link = links.get(server);
        if (link != null) {
            at(DETECTION_NANOS, () -> {
                if (separated.get(server)) {
                    link.cut("no pong");
                }
            });
        }
    }

    void join(int server) {
        separated.set(server, false);
        SimLink link = links.get(server);
        if (link != null) {
            link.release();
        }
    }

    /** A server has been killed: it is not notified of anything any more. */
    void kill(int server) {
        faults++;
        SimLink link = links.get(server);
        if (link != null) {
            link.isSilent = true;
            link.cut("killed");
        }
    }

    /** Drops a part of the messages on their way to servers, as a server that receives too slowly would. */
    void drop(double probability) {
        faults++;
        dropProbability = probability;
    }

    void delay(long nanosMax) {
        delayNanosMax = nanosMax;
        longestDelayNanos = Math.max(longestDelayNanos, nanosMax);
    }

    /** Returns how long a message may be on its way to the broker, or from it, on a link without faults. */
    long longestDelayNanos() {
        return longestDelayNanos;
    }

    /** Lets attempts to connect during a partition fail only after a time, as if no packet was answered. */
    void connectTimeout(Duration timeout) {
        connectTimeoutNanos = timeout.toNanos();
    }

    void repeatAfterReconnect() {
        faults++;
        repeats = true;
    }

    void heal() {
        isDead = false;
        dropProbability = 0;
        delayNanosMax = 2_000_000;
        repeats = false;
        for (int i = 0; i < separated.size(); i++) {
            join(i);
        }
    }

    /** Returns when the broker got a message; null if it did not. */
    @Nullable
    Long arrivedAt(long server, String stream, long number) {
        return arrivals.get(new MessageId(server, stream, number));
    }

    /** Returns true if a server has a link, or tries to connect. */
    boolean isLinked(int server) {
        return links.get(server) != null;
    }

    /** Returns since when a server's link has subscribed to a subject at the broker; null if it has not. */
    @Nullable
    Long subscribedAt(int server, String subject) {
        SimLink link = links.get(server);
        return link == null ? null : link.subjects.get(subject);
    }

    // ---- time

    private void at(long delayNanos, Runnable action) {
        events.add(new Event(clock.nanoTime() + delayNanos, order++, action));
    }

    @Override
    public int turn() {
        int done = 0;
        while (!events.isEmpty() && events.peek().at - clock.nanoTime() <= 0) {
            events.remove().action.run();
            done++;
        }
        return done;
    }

    @Override
    public long nextDeadline() {
        Event next = events.peek();
        return next == null ? NO_DEADLINE : next.at;
    }

    private void publish(String subject, byte[] message) {
        if (Wire.isMessage(message) && Wire.decode(message) instanceof Frame.Message decoded) {
            arrivals.putIfAbsent(new MessageId(decoded.sender().id(), decoded.stream(), decoded.number()), clock.nanoTime());
        }
        if (keeps) {
            kept.add(new Kept(subject, message, clock.nanoTime()));
        }
        links.forEach(link -> {
            if (link != null && link.subjects.containsKey(subject)) {
                link.deliver(message);
            }
        });
    }

    /** The state of a link's two directions: messages in order. */
    private final class SimLink implements Bus.Link {
        private final int server;
        private final Bus.Events notified;
        /** The subscriptions at the broker, with their times. */
        private final Map<String, Long> subjects = new HashMap<>();
        private final List<Runnable> held = new ArrayList<>();
        private long upAt = Long.MIN_VALUE;
        private long downAt = Long.MIN_VALUE;
        private int waitingBytes;
        private boolean isUp;
        private boolean isOver;
        boolean isSilent;

        SimLink(int server, Bus.Events notified) {
            this.server = server;
            this.notified = notified;
        }

        void connect() {
            at(random.nextLong(1_000_000, 20_000_000), () -> {
                if (isOver) {
                    return;
                }
                if (separated.get(server) && connectTimeoutNanos > 0) {
                    at(connectTimeoutNanos, () -> cut("connect timed out"));
                    return;
                }
                if (isDead || separated.get(server)) {
                    cut("cannot connect");
                    return;
                }
                isUp = true;
                notified.onConnected();
                if (repeats && random.nextBoolean()) {
                    at(random.nextLong(30_000_000), () -> delivered.get(server).forEach(this::deliverLate));
                }
            });
        }

        private void deliverLate(byte[] message) {
            if (isUp) {
                notified.onMessage(message.clone());
            }
        }

        /** Runs after a delay, and after everything that was sent before. */
        private void up(Runnable action) {
            upAt = later(upAt);
            at(upAt - clock.nanoTime(), () -> pass(action));
        }

        private void down(Runnable action) {
            downAt = later(downAt);
            at(downAt - clock.nanoTime(), () -> pass(action));
        }

        private long later(long before) {
            long next = clock.nanoTime() + random.nextLong(delayNanosMax);
            return before == Long.MIN_VALUE || next - before > 0 ? next : before;
        }

        private void pass(Runnable action) {
            if (isOver) {
                return;
            }
            if (separated.get(server) || !held.isEmpty()) {
                held.add(action);
            } else {
                action.run();
            }
        }

        void release() {
            List<Runnable> waiting = List.copyOf(held);
            held.clear();
            if (!isOver) {
                waiting.forEach(Runnable::run);
            }
        }

        /** Ends the link. What is on its way is lost, or processed by the broker later. */
        void cut(String reason) {
            if (isOver) {
                return;
            }
            isOver = true;
            isUp = false;
            subjects.clear();
            held.clear();
            if (links.get(server) == this) {
                links.set(server, null);
            }
            if (!isSilent) {
                at(random.nextLong(20_000_000), () -> notified.onClosed(reason));
            }
        }

        void deliver(byte[] message) {
            if (dropProbability > 0 && random.nextDouble() < dropProbability) {
                notified.onSlow();
                return;
            }
            byte[] copy = message.clone();
            down(() -> {
                List<byte[]> last = delivered.get(server);
                last.add(copy.clone());
                if (last.size() > REPEATED_MAX) {
                    last.removeFirst();
                }
                notified.onMessage(copy);
            });
        }

        @Override
        public long messageBytesMax() {
            return MESSAGE_BYTES_MAX;
        }

        @Override
        public boolean publish(String subject, byte[] message) {
            if (message.length > MESSAGE_BYTES_MAX) {
                throw new IllegalArgumentException("longer than " + MESSAGE_BYTES_MAX);
            }
            if (!isUp || (waitingBytes > 0 && waitingBytes + message.length > WINDOW_BYTES)) {
                return false;
            }
            waitingBytes += message.length;
            byte[] copy = message.clone();
            boolean lingers = repeats && random.nextInt(4) == 0;
            long sentAt = clock.nanoTime();
            up(() -> {
                waitingBytes -= message.length;
                SimBus.this.publish(subject, copy);
            });
            if (lingers) { // another broker of a cluster has it, and passes it on when this link is gone
                at(upAt - sentAt + random.nextLong(400_000_000), () -> {
                    if (isOver && !isDead) {
                        SimBus.this.publish(subject, copy);
                    }
                });
            }
            return true;
        }

        @Override
        public void subscribe(String subject) {
            up(() -> subjects.putIfAbsent(subject, clock.nanoTime()));
        }

        @Override
        public void unsubscribe(String subject) {
            up(() -> subjects.remove(subject));
        }

        @Override
        public boolean fetch(String subject, Duration back) {
            if (keeps) {
                up(() -> {
                    long from = clock.nanoTime() - back.toNanos();
                    kept.stream().filter(each -> each.subject.equals(subject) && each.atNanos - from >= 0)
                            .forEach(each -> down(() -> notified.onKept(each.message.clone())));
                    down(() -> notified.onFetched(subject));
                });
            }
            return keeps;
        }

        @Override
        public void finish() {
            up(() -> cut("finished"));
        }

        @Override
        public void close() {
            cut("closed");
        }
    }

    @Override
    public String toString() {
        return "dead " + isDead + ", separated " + separated + ", links " + Arrays.toString(links.toArray());
    }
}
