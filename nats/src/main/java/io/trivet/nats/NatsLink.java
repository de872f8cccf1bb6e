package io.trivet.nats;

import io.nats.client.Connection;
import io.nats.client.ConnectionListener;
import io.nats.client.Consumer;
import io.nats.client.Dispatcher;
import io.nats.client.ErrorListener;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A connection of the NATS client. A thread of its own stands between the loop and the client, because many methods of the client wait for a
 * lock that it holds while it writes to a socket that may be full.
 */
final class NatsLink implements Bus.Link, ConnectionListener, ErrorListener {
    /** What the link may hold, and what the client may hold, so that the rest waits in the relay's own queue. */
    private static final long WINDOW_BYTES = 1 << 20;
    /** What an empty message counts as, so that their number is limited, too. */
    private static final int MESSAGE_BYTES = 64;
    /** What changes of subscriptions may add to that. */
    private static final long CHANGES_BYTES_MAX = 4 * WINDOW_BYTES;
    /** Bytes sent between two updates of {@link #waitingBytes}, and between two checks of what waits in the client. Each costs more than a message. */
    private static final long COUNTED_BYTES = WINDOW_BYTES / 64;
    /** The most commands taken from the queue at once. */
    private static final int BATCH_MAX = 256;
    private static final long FULL_WAIT_NANOS = 1_000_000;
    private static final Duration FLUSH_TIMEOUT = Duration.ofSeconds(5);

    /** Does something with the connection. */
    private interface Command {
        void run(Connection connection, Dispatcher dispatcher) throws InterruptedException;

        /** Returns the number of bytes to subtract from {@link #waitingBytes} after the command has run. */
        default long bytes() {
            return 0;
        }
    }

    /** A message to send. */
    private final class Send implements Command {
        private final String subject;
        private final byte[] message;

        Send(String subject, byte[] message) {
            this.subject = subject;
            this.message = message;
        }

        @Override
        public void run(Connection open, Dispatcher dispatcher) {
            uncheckedBytes += bytes();
            if (uncheckedBytes >= COUNTED_BYTES) {
                uncheckedBytes = 0;
                while (open.outgoingPendingBytes() > WINDOW_BYTES) {
                    if (isClosing || isClosedReported.get()) {
                        return;
                    }
                    LockSupport.parkNanos(FULL_WAIT_NANOS);
                }
            }
            open.publish(subject, message);
        }

        @Override
        public long bytes() {
            return (long) message.length + MESSAGE_BYTES;
        }
    }

    private final Bus.Events events;
    private final long inboundBytesMax;
    private final @Nullable NatsHistory history;
    private final LinkedBlockingQueue<Command> commands = new LinkedBlockingQueue<>();
    private final AtomicLong waitingBytes = new AtomicLong();
    private final AtomicBoolean isClosedReported = new AtomicBoolean();
    /** What was sent since the last look at what waits in the client. The link's thread only. */
    private long uncheckedBytes;
    private volatile @Nullable Connection connection;
    private volatile boolean isClosing;
    private volatile long messageBytesMax = Long.MAX_VALUE;
    private volatile String lastError = "";

    NatsLink(Bus.Events events, RelayOptions options) {
        this.events = events;
        inboundBytesMax = options.inboundBytesMax();
        History kept = options.history();
        history = kept == null ? null
                : new NatsHistory(kept, new Streams(options.prefix()).subjects(),
                        options.messageBytesMax() + RelayOptions.OVERHEAD_BYTES, events,
                        isClosedReported::get);
    }

    void start(Options options) {
        Thread.ofPlatform().daemon().name("trivet-nats").start(() -> run(options));
    }

    // ---- the link's thread

    private void run(Options options) {
        try {
            Connection opened = Nats.connect(options);
            connection = opened;
            messageBytesMax = opened.getMaxPayload();
            if (isClosing) {
                opened.close();
                closed("closed");
                return;
            }
            Dispatcher dispatcher = opened.createDispatcher(message -> events.onMessage(message.getData()));
            dispatcher.setPendingLimits(Consumer.DEFAULT_MAX_MESSAGES, inboundBytesMax);
            if (history != null) {
                history.start(opened);
            }
            events.onConnected();
            ArrayDeque<Command> batch = new ArrayDeque<>(BATCH_MAX);
            while (!isClosedReported.get()) {
                batch.add(commands.take());
                commands.drainTo(batch, BATCH_MAX - 1);
                run(batch, opened, dispatcher);
            }
        } catch (IOException e) {
            closed(e.getMessage());
        } catch (InterruptedException e) {
            closed("interrupted");
        } catch (IllegalStateException e) { // closed meanwhile
            closed(lastError.isEmpty() ? e.getMessage() : lastError);
        } catch (RuntimeException e) {
            closed(e.toString());
            closeLater();
        }
    }

    /** Runs commands. Subtracts their bytes in steps, because the loop updates the same counter for each message. */
    private void run(ArrayDeque<Command> batch, Connection open, Dispatcher dispatcher) throws InterruptedException {
        long done = 0;
        while (!batch.isEmpty()) { // each is removed at once: a message that was sent must not be held until the last one is
            Command command = batch.remove();
            command.run(open, dispatcher);
            done += command.bytes();
            if (done >= COUNTED_BYTES) {
                waitingBytes.addAndGet(-done);
                done = 0;
            }
        }
        waitingBytes.addAndGet(-done);
    }

    private void finish(Connection open) throws InterruptedException {
        try {
            open.flush(FLUSH_TIMEOUT);
        } catch (TimeoutException e) {
            lastError = "the bus did not confirm that it has received everything: " + NatsBus.withoutSecrets(e.getMessage());
        }
        open.close();
        closed(lastError);
    }

    private void closed(@Nullable String reason) {
        if (isClosedReported.compareAndSet(false, true)) {
            events.onClosed(NatsBus.reason(reason));
            commands.add((_, _) -> {}); // wakes the thread
        }
    }

    // ---- the loop

    @Override
    public boolean publish(String subject, byte[] message) {
        if (message.length > messageBytesMax) {
            throw new IllegalArgumentException("max_payload of the NATS server is " + messageBytesMax + " bytes");
        }
        Send send = new Send(subject, message);
        long waiting = waitingBytes.get();
        if (isClosing || isClosedReported.get() || (waiting > 0 && waiting + send.bytes() > WINDOW_BYTES)) {
            return false;
        }
        waitingBytes.addAndGet(send.bytes());
        commands.add(send);
        return true;
    }

    @Override
    public long messageBytesMax() {
        return messageBytesMax;
    }

    @Override
    public void subscribe(String subject) {
        change(subject, (_, dispatcher) -> dispatcher.subscribe(subject));
    }

    @Override
    public void unsubscribe(String subject) {
        change(subject, (_, dispatcher) -> dispatcher.unsubscribe(subject));
    }

    /** Changes a subscription. If too many changes wait, closes: the next link subscribes to what is left. */
    private void change(String subject, Command command) {
        long bytes = subject.length() + (long) MESSAGE_BYTES;
        if (waitingBytes.addAndGet(bytes) > CHANGES_BYTES_MAX) {
            close();
            return;
        }
        commands.add((open, dispatcher) -> {
            waitingBytes.addAndGet(-bytes);
            command.run(open, dispatcher);
        });
    }

    @Override
    public boolean fetch(String subject, Duration back) {
        if (history == null) {
            return false;
        }
        history.fetch(subject, back);
        return true;
    }

    @Override
    public void finish() {
        commands.add((open, _) -> finish(open));
    }

    @Override
    public void close() {
        if (!isClosing) {
            isClosing = true;
            closeLater();
        }
    }

    /** Closes the connection on another thread, because the link's own may be waiting for the client. */
    private void closeLater() {
        Connection open = connection;
        if (open != null) {
            Thread.ofPlatform().daemon().name("trivet-nats-close").start(() -> {
                try {
                    open.close();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                closed(lastError);
            });
        }
    }

    // ---- the client's threads

    @Override
    @SuppressWarnings("deprecation") // the method in its place calls this one, which is the abstract one
    public void connectionEvent(Connection source, Events event) {
        if (event == Events.CLOSED) {
            closed(lastError);
        }
    }

    @Override
    public void errorOccurred(Connection source, String error) {
        lastError = error;
        if (error.toLowerCase(Locale.ROOT).contains("slow consumer")) {
            events.onSlow();
        }
    }

    @Override
    public void exceptionOccurred(Connection source, Exception exception) {
        String message = exception.getMessage();
        if (message != null && !message.isBlank()) {
            lastError = message;
        } else if (lastError.isEmpty()) { // otherwise that one says more
            lastError = exception.getClass().getSimpleName();
        }
    }

    @Override
    public void slowConsumerDetected(Connection source, Consumer consumer) {
        events.onSlow();
    }
}
