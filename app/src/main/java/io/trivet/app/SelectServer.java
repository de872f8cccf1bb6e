package io.trivet.app;

import io.trivet.net.Capability;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.Selectable;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Many clients in one loop on {@link Select}, with one message queue each.
 *
 * <p>A round: who is asked about what; select; then exceptional before readable before writable (a read at the urgent mark destroys
 * the urgent byte); then deadlines; and closing last, so that nobody in the three lists is closed while they are gone through.
 *
 * <p>A client stands in the first list while we want to hear from it, and in the second while its queue holds something.
 *
 * <p>Threads: {@link #run} belongs to one; {@link #drain} is for another.
 */
final class SelectServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("io.trivet.serve");
    /** Fair to those who are connected already, and quick enough for a crowd. */
    private static final int ACCEPTS_PER_ROUND_MAX = 256;
    /** Of the last rounds that do not wait: enough for a full backlog, and an end to clients that never stop talking. */
    private static final int LAST_ROUNDS_MAX = 64;
    private static final int READ_BYTES_MAX = 64 * 1024;
    /** A queue longer than this pauses reading, until it is down to half. */
    private static final long HIGH_MARK_BYTES = 64 * 1024;
    /** By how much a reply can be longer than its message: an IPv6 address with everything, and a newline. */
    static final int REPLY_BYTES_EXTRA_MAX = 128;
    private static final long BACK_OFF_NANOS_MIN = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long BACK_OFF_NANOS_MAX = TimeUnit.SECONDS.toNanos(1);
    /** How long a client may take to finish, once we have: closing with its last bytes unread would destroy our reply on its way. */
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Network network;
    private final ServerSettings settings;
    private final Journal journal;
    private final TcpListener listener;
    /** Ends a wait: {@link #drain} writes, the loop reads. */
    private final Pipe wakeup;
    /** Descriptors that are given up when there are no others: epoll and nio need some for each call. Null: given up. */
    private @Nullable Pipe spare;
    /** In the order of their arrival. */
    private final Set<Client> clients = new LinkedHashSet<>();
    private final ByteBuffer readBuffer;
    private final CountDownLatch ended = new CountDownLatch(1);

    /** Set by {@link #drain}: until when. */
    private volatile @Nullable Long drainUntil;
    /** The loop has taken what had arrived when draining began, and takes nothing new. */
    private boolean stopped;
    private int lastRounds;
    /** Written before, and read after, the end. */
    private int cutOff;
    private long acceptAgainAt;
    /** Not 0 while accepting fails. */
    private long backOffNanos;
    private boolean fullIsKnown;

    private SelectServer(Network network, ServerSettings settings, Journal journal, TcpListener listener, Pipe wakeup,
            Pipe spare) {
        this.network = network;
        this.settings = settings;
        this.journal = journal;
        this.listener = listener;
        this.wakeup = wakeup;
        this.spare = spare;
        readBuffer = ByteBuffer.allocateDirect(Math.min(settings.messageBytesMax(), READ_BYTES_MAX));
    }

    /** Binds and listens; clients wait in the backlog until {@link #run}. */
    static SelectServer listen(Network network, InetSocketAddress address, int backlog, ServerSettings settings, Journal journal)
            throws IOException {
        TcpListener listener = network.listen(address, backlog);
        try {
            loadWhatFailureNeeds(network, listener);
            return new SelectServer(network, settings, journal, listener, network.pipe(), network.pipe());
        } catch (IOException | RuntimeException e) {
            listener.close();
            throw e;
        }
    }

    /** With no descriptor left, the JVM cannot open a class file either: so something fails beforehand, and says so to nobody. */
    private static void loadWhatFailureNeeds(Network network, TcpListener listener) throws IOException {
        LOG.isLoggable(Level.WARNING);
        InetSocketAddress taken = listener.localAddress();
        try (TcpListener impossible = network.listen(taken, 1)) {
            LOG.log(Level.WARNING, "the kernel lets two servers listen on " + impossible.localAddress());
        } catch (IOException e) {
            isShortage(e);
        }
    }

    InetSocketAddress address() throws IOException {
        return listener.localAddress();
    }

    /** Serves until it has drained. */
    void run() throws IOException {
        try {
            while (!isDrained()) {
                round();
            }
        } finally {
            for (Client client : clients) {
                cutOff += client.hasQueue() ? 1 : 0;
                client.leave("cut off");
            }
            closeLeaving();
            ended.countDown();
        }
    }

    /**
     * Takes no new client and no new message, answers what has arrived, sends what waits, and ends.
     *
     * @return how many clients did not take what waited for them in that time
     */
    int drain(Duration limit) throws InterruptedException {
        drainUntil = network.clock().nanoTime() + limit.toNanos();
        try {
            wakeup.sink().write(ByteBuffer.wrap(new byte[1]));
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the loop could not be woken, and notices at its next round: " + e.getMessage());
        }
        // A little more than the loop takes; a loop that never began does not end.
        boolean inTime = ended.await(limit.toMillis() + 1000, TimeUnit.MILLISECONDS);
        return inTime ? cutOff : 0;
    }

    @Override
    public void close() throws IOException {
        listener.close();
        wakeup.close();
        if (spare != null) {
            spare.close();
        }
    }

    private boolean isDrained() {
        Long until = drainUntil;
        return until != null && stopped && (clients.isEmpty() || until - network.clock().nanoTime() <= 0);
    }

    private void round() throws IOException {
        boolean stopping = drainUntil != null && !stopped;
        List<Selectable> readers = new ArrayList<>();
        List<Selectable> writers = new ArrayList<>();
        List<Selectable> urgents = new ArrayList<>();
        readers.add(wakeup.source());
        long begun = network.clock().nanoTime();
        if (isAccepting(begun)) {
            readers.add(listener);
        }
        for (Client client : clients) {
            if (isHeard(client)) {
                readers.add(client);
                if (settings.urgent() && network.supports(Capability.URGENT_DATA)) {
                    urgents.add(client);
                }
            }
            if (client.hasQueue()) {
                writers.add(client);
            }
        }
        Duration wait = stopping ? Duration.ZERO : Duration.ofNanos(waitNanos(begun));
        Ready<Selectable> ready = select(readers, writers, urgents, wait);

        long now = network.clock().nanoTime();
        journal.round(ready.readable().size(), ready.writable().size(), ready.exceptional().size(), clients.size());
        for (Selectable member : ready.exceptional()) {
            takeUrgent((Client) member, now);
        }
        boolean quiet = true;
        for (Selectable member : ready.readable()) {
            switch (member) {
                case Client client -> {
                    quiet = false;
                    receive(client, now);
                }
                case TcpListener _ -> {
                    quiet = false;
                    accept(now);
                }
                default -> wakeup.source().read(readBuffer.clear());
            }
        }
        for (Selectable member : ready.writable()) {
            flush((Client) member, now);
        }
        if (stopping && (quiet || ++lastRounds == LAST_ROUNDS_MAX)) {
            stopped = true;
            listener.close();
        }
        for (Client client : clients) {
            expire(client, now);
            if (stopped) {
                finish(client, now);
            }
        }
        closeLeaving();
    }

    private Ready<Selectable> select(List<Selectable> readers, List<Selectable> writers, List<Selectable> urgents, Duration wait)
            throws IOException {
        try {
            return Select.on(network).select(readers, writers, urgents, wait);
        } catch (IOException e) {
            if (!isShortage(e) || spare == null) {
                throw e;
            }
            acceptLater(e, network.clock().nanoTime());
            return Select.on(network).select(readers, writers, urgents, Duration.ZERO);
        }
    }

    private boolean isAccepting(long now) {
        return !stopped && clients.size() < settings.connectionsMax() && (backOffNanos == 0 || acceptAgainAt - now <= 0);
    }

    private boolean isHeard(Client client) {
        return !client.inputEnded && (client.outputEnded || (!stopped && !client.paused));
    }

    /** Until the next deadline, at most the settings' timeout. */
    private long waitNanos(long now) {
        long until = now + settings.timeout().toNanos();
        Long drained = drainUntil;
        if (drained != null) {
            until = earlier(until, drained);
        }
        if (backOffNanos != 0) {
            until = earlier(until, acceptAgainAt);
        }
        for (Client client : clients) {
            if (client.outputEnded) {
                until = earlier(until, client.endedAt + LINGER_NANOS);
            } else if (client.hasQueue()) {
                until = settings.writeTimeout().isZero()
                        ? until
                        : earlier(until, client.sentAt + settings.writeTimeout().toNanos());
            } else if (!settings.idleTimeout().isZero()) {
                until = earlier(until, client.activeAt + settings.idleTimeout().toNanos());
            }
        }
        return Math.max(0, until - now);
    }

    private static long earlier(long one, long other) {
        return one - other <= 0 ? one : other;
    }

    private void accept(long now) {
        try {
            if (spare == null) {
                spare = network.pipe();
            }
            for (int i = 0; i < ACCEPTS_PER_ROUND_MAX && clients.size() < settings.connectionsMax(); i++) {
                TcpStream stream = listener.accept();
                if (stream == null) {
                    break;
                }
                Client client = new Client(stream, settings.messageBytesMax(), now);
                clients.add(client);
                journal.connected(client.name);
            }
            if (backOffNanos != 0) {
                backOffNanos = 0;
                LOG.log(Level.INFO, "accepting again");
            }
        } catch (IOException e) {
            acceptLater(e, now);
        }
        if (clients.size() >= settings.connectionsMax() && !fullIsKnown) {
            fullIsKnown = true;
            LOG.log(Level.WARNING, clients.size() + " clients are connected, which is the limit: others wait until one leaves"
                    + " (--max-connections)");
        }
    }

    /** Who waits goes on waiting, and the listener stays readable: asking again at once would spin. */
    private void acceptLater(IOException e, long now) {
        if (backOffNanos == 0) {
            LOG.log(Level.WARNING, "new clients wait, those connected do not notice: " + e.getMessage()
                    + (isShortage(e) ? "; --max-connections keeps below the limit" : ""));
        }
        backOffNanos = Math.clamp(2 * backOffNanos, BACK_OFF_NANOS_MIN, BACK_OFF_NANOS_MAX);
        acceptAgainAt = now + backOffNanos;
        try {
            if (spare != null) {
                spare.close();
            }
        } catch (IOException notClosed) {
            LOG.log(Level.WARNING, "closing a pipe: " + notClosed.getMessage());
        }
        spare = null;
    }

    private static boolean isShortage(IOException e) {
        return e instanceof NetworkException known && (known.code() == ErrorCode.EMFILE || known.code() == ErrorCode.ENFILE);
    }

    private void takeUrgent(Client client, long now) {
        try {
            int value = client.stream.receiveUrgent();
            if (value >= 0) {
                client.activeAt = now;
                journal.urgent(client.name, value);
            }
        } catch (IOException e) {
            client.leave(e);
        }
    }

    /** One read: what it gives is a message, or a part of a line. */
    private void receive(Client client, long now) {
        try {
            int count = client.stream.read(readBuffer.clear());
            if (count < 0) {
                endOfInput(client);
            } else if (count > 0 && !client.outputEnded) {
                client.activeAt = now;
                readBuffer.flip();
                if (settings.framing() == Framing.RAW) {
                    answer(client, readBuffer, now);
                } else {
                    client.lines.put(readBuffer);
                    deliverLines(client, now);
                }
            }
        } catch (IOException e) {
            client.leave(e);
        }
    }

    /** The peer has finished, and may still read: what waits for it is sent first. */
    private static void endOfInput(Client client) {
        client.inputEnded = true;
        if (!client.hasQueue()) {
            int unfinished = client.lines.held();
            client.leave(
                    unfinished == 0 ? "it finished" : "it finished within a line, whose " + unfinished + " bytes are dropped");
        }
    }

    /** Answers the whole lines, as long as the client's queue is not too long. */
    private void deliverLines(Client client, long now) {
        while (!client.paused && !client.isLeaving()) {
            ByteBuffer line = client.lines.take();
            if (line == null) {
                break;
            }
            answer(client, line, now);
        }
        if (client.lines.isTooLong()) {
            client.leave("its message is longer than " + SizeText.of(settings.messageBytesMax()) + " (--message-limit)");
        }
    }

    private void answer(Client client, ByteBuffer message, long now) {
        journal.data(client.name, message);
        switch (settings.reply()) {
            case ECHO -> enqueue(client, framed(message, new byte[0]), now);
            case ADDRESS -> enqueue(client, framed(message, client.address), now);
            case DISCARD -> {
            }
            case BROADCAST -> {
                byte[] shared = framed(message, new byte[0]);
                for (Client each : clients) {
                    enqueue(each, shared, now);
                }
            }
        }
    }

    private byte[] framed(ByteBuffer message, byte[] suffix) {
        boolean lines = settings.framing() == Framing.LINES;
        ByteBuffer frame = ByteBuffer.allocate(message.remaining() + suffix.length + (lines ? 1 : 0));
        frame.put(message.duplicate()).put(suffix);
        if (lines) {
            frame.put((byte) '\n');
        }
        return frame.array();
    }

    /** Puts a message into a client's queue, whose limit holds whatever the policy. */
    private void enqueue(Client client, byte[] message, long now) {
        if (client.isLeaving() || client.outputEnded) {
            return;
        }
        while (settings.overflow() == Overflow.DROP_OLDEST && client.queueBytes() + message.length > settings.queueBytesMax()) {
            ByteBuffer oldest = client.dropOldest();
            if (oldest == null) {
                journal.dropped(client.name, ByteBuffer.wrap(message));
                return;
            }
            journal.dropped(client.name, oldest);
        }
        if (client.queueBytes() + message.length > settings.queueBytesMax()) {
            client.leave("its queue is full: " + client.queueBytes() + " bytes wait, and " + message.length + " more would pass "
                    + SizeText.of(settings.queueBytesMax()) + " (--queue-limit)");
            return;
        }
        client.enqueue(message, now);
        if (settings.overflow() == Overflow.PAUSE && client.queueBytes() > highMark()) {
            client.paused = true;
        }
    }

    /** Low enough that the longest reply still fits. */
    private long highMark() {
        return Math.clamp(settings.queueBytesMax() - settings.messageBytesMax() - REPLY_BYTES_EXTRA_MAX, 0, HIGH_MARK_BYTES);
    }

    private void flush(Client client, long now) {
        try {
            client.flush(now, journal);
        } catch (IOException e) {
            client.leave(e);
            return;
        }
        if (client.paused && client.queueBytes() <= highMark() / 2) {
            client.paused = false;
            deliverLines(client, now);
        }
        if (client.inputEnded && !client.hasQueue()) {
            endOfInput(client);
        }
    }

    private void expire(Client client, long now) {
        if (client.outputEnded) {
            if (client.endedAt + LINGER_NANOS - now <= 0) {
                client.leave("we finished, and it did not");
            }
        } else if (client.hasQueue()) {
            if (!settings.writeTimeout().isZero() && client.sentAt + settings.writeTimeout().toNanos() - now <= 0) {
                client.leave("it took nothing for " + DurationText.of(settings.writeTimeout()) + ", and " + client.queueBytes()
                        + " bytes wait (--write-timeout)");
            }
        } else if (!settings.idleTimeout().isZero() && client.activeAt + settings.idleTimeout().toNanos() - now <= 0) {
            client.leave("idle for " + DurationText.of(settings.idleTimeout()) + " (--idle-timeout)");
        }
    }

    /** While draining: once its queue is empty, we finish, and wait for the client to finish too. */
    private static void finish(Client client, long now) {
        if (client.hasQueue() || client.outputEnded || client.isLeaving()) {
            return;
        }
        try {
            client.stream.shutdownOutput();
            client.outputEnded = true;
            client.endedAt = now;
        } catch (IOException e) {
            client.leave(e);
        }
    }

    private void closeLeaving() {
        clients.removeIf(client -> {
            String reason = client.reason();
            if (reason == null) {
                return false;
            }
            journal.gone(client.name, reason);
            try {
                client.stream.close();
            } catch (IOException e) {
                LOG.log(Level.WARNING, "closing " + client.name + ": " + e.getMessage());
            }
            return true;
        });
    }
}
