package io.trivet.view;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The pages that get events (Server-Sent Events, HTML standard, section 9.2). Their number is bounded. A subscriber that has not
 * taken the last event yet gets only the newest one next; one that takes nothing for a while is dropped. Any thread.
 */
final class Subscribers {
    /** Further subscribers are refused. */
    static final int SUBSCRIBERS_MAX = 32;
    /** A subscriber that blocks a write for so long is dropped. */
    private final long stuckNanos;

    private final List<Subscriber> subscribers = new CopyOnWriteArrayList<>();
    private final Runnable onArrival;
    private boolean closed;

    Subscribers(Duration stuckAfter, Runnable onArrival) {
        stuckNanos = stuckAfter.toNanos();
        this.onArrival = onArrival;
    }

    private static final class Subscriber {
        final Thread thread = Thread.currentThread();
        private @Nullable String next;
        private boolean ended;
        private volatile boolean writing;
        private volatile long writeStartedNanos;

        synchronized void offer(String event) {
            next = event;
            notifyAll();
        }

        synchronized @Nullable String take() throws InterruptedException {
            while (next == null && !ended) {
                wait();
            }
            String taken = next;
            next = null;
            return ended ? null : taken;
        }

        synchronized void end() {
            ended = true;
            notifyAll();
        }
    }

    /** Sends events to a subscriber, on its own thread, until it leaves or is dropped. Returns false if there are too many. */
    boolean serve(HttpExchange exchange, String first) throws IOException {
        Subscriber subscriber = new Subscriber();
        synchronized (this) {
            if (closed || subscribers.size() >= SUBSCRIBERS_MAX) {
                return false;
            }
            subscribers.add(subscriber);
        }
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", "text/event-stream; charset=utf-8");
            exchange.sendResponseHeaders(200, 0);
            OutputStream body = exchange.getResponseBody();
            onArrival.run();
            write(subscriber, body, "retry: 1000\nevent: hello\ndata: " + first + "\n\n");
            for (String event = subscriber.take(); event != null; event = subscriber.take()) {
                write(subscriber, body, "data: " + event + "\n\n"); // JSON has no line breaks
            }
        } catch (IOException | InterruptedException e) {
            // The subscriber has left, or was dropped.
        } finally {
            subscribers.remove(subscriber);
            Thread.interrupted(); // the thread may be reused
        }
        return true;
    }

    private static void write(Subscriber subscriber, OutputStream body, String text) throws IOException {
        subscriber.writeStartedNanos = System.nanoTime();
        subscriber.writing = true;
        try {
            body.write(text.getBytes(StandardCharsets.UTF_8));
            body.flush();
        } finally {
            subscriber.writing = false;
        }
    }

    /** Gives an event to all, and drops those that are stuck. Never blocks. */
    void publish(String event) {
        long now = System.nanoTime();
        for (Subscriber subscriber : subscribers) {
            if (subscriber.writing && now - subscriber.writeStartedNanos > stuckNanos) {
                subscriber.thread.interrupt(); // closes the channel that it is blocked on, and it leaves
            } else {
                subscriber.offer(event);
            }
        }
    }

    int count() {
        return subscribers.size();
    }

    /** Ends all subscriptions. */
    void close() {
        synchronized (this) {
            closed = true;
        }
        for (Subscriber subscriber : subscribers) {
            subscriber.end();
            if (subscriber.writing) {
                subscriber.thread.interrupt();
            }
        }
    }
}
