package io.trivet.nats;

import io.nats.client.BaseConsumerContext;
import io.nats.client.Connection;
import io.nats.client.FetchConsumeOptions;
import io.nats.client.FetchConsumer;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.JetStreamStatusCheckedException;
import io.nats.client.Message;
import io.nats.client.api.DeliverPolicy;
import io.nats.client.api.DiscardPolicy;
import io.nats.client.api.OrderedConsumerConfiguration;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import java.io.IOException;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Reads the messages that a JetStream stream has kept, for one link. The NATS client blocks until an answer arrives, so a thread of its own
 * performs the requests, one after the other.
 */
final class NatsHistory {
    private static final int NOT_FOUND = 404;
    /** What the NATS client says if no server has JetStream, or none answers in time. */
    private static final String NO_RESPONSE = "no response waiting for NATS JetStream";
    private static final int BATCH_MESSAGES = 256;
    private static final int BATCH_BYTES_MIN = 1 << 20;
    private static final long FULL_WAIT_NANOS = 1_000_000;
    private static final long CHECK_SECONDS = 1;

    private record Request(String subject, ZonedDateTime from) {}

    private final History history;
    private final List<String> subjects;
    private final Bus.Events events;
    private final BooleanSupplier isClosed;
    private final int batchBytes;
    private final LinkedBlockingQueue<Request> requests = new LinkedBlockingQueue<>();

    /**
     * Creates a reader.
     *
     * @param subjects what the stream must keep
     * @param messageBytesMax the longest message
     * @param isClosed returns true when the link has ended
     */
    NatsHistory(History history, List<String> subjects, int messageBytesMax, Bus.Events events, BooleanSupplier isClosed) {
        batchBytes = Math.max(BATCH_BYTES_MIN, (int) Math.min(Integer.MAX_VALUE, 2L * messageBytesMax));
        this.history = history;
        this.subjects = subjects;
        this.events = events;
        this.isClosed = isClosed;
    }

    /** Starts the thread, which first creates the stream if there is none. */
    void start(Connection connection) {
        Thread.ofPlatform().daemon().name("trivet-nats-history").start(() -> run(connection));
    }

    /** Requests the messages of a subject that are at most that old. Loop thread. */
    void fetch(String subject, Duration back) {
        requests.add(new Request(subject, ZonedDateTime.now(ZoneOffset.UTC).minus(back)));
    }

    private void run(Connection connection) {
        try {
            boolean isReady = succeeds(() -> prepare(connection));
            while (!isClosed.getAsBoolean()) {
                Request request = requests.poll(CHECK_SECONDS, TimeUnit.SECONDS);
                if (request != null) {
                    isReady = isReady || succeeds(() -> prepare(connection)); // JetStream may start later than NATS
                    if (isReady) {
                        succeeds(() -> read(connection, request));
                    }
                    events.onFetched(request.subject);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private interface Call {
        void run() throws IOException, JetStreamApiException, JetStreamStatusCheckedException, InterruptedException;
    }

    /** Performs a call. If it fails, reports that and returns false. */
    private boolean succeeds(Call call) throws InterruptedException {
        try {
            call.run();
            return true;
        } catch (IOException | JetStreamApiException | JetStreamStatusCheckedException | RuntimeException e) {
            if (!isClosed.getAsBoolean()) {
                events.onHistoryProblem(problem(e));
            }
            return false;
        }
    }

    private String problem(Exception e) {
        String text = NatsBus.withoutSecrets(e.getMessage());
        return text.contains(NO_RESPONSE) ? "JetStream is not enabled, or does not answer: start nats-server with --jetstream"
                : "the stream " + history.stream() + " of JetStream: " + text;
    }

    private void prepare(Connection connection) throws IOException, JetStreamApiException {
        JetStreamManagement streams = connection.jetStreamManagement();
        try {
            streams.getStreamInfo(history.stream());
        } catch (JetStreamApiException e) {
            if (e.getErrorCode() != NOT_FOUND) {
                throw e;
            }
            streams.addStream(StreamConfiguration.builder().name(history.stream()).subjects(subjects)
                    .storageType(StorageType.Memory).maxAge(history.age()).maxBytes(history.bytesMax())
                    .discardPolicy(DiscardPolicy.Old).build());
        }
    }

    private void read(Connection connection, Request request)
            throws IOException, JetStreamApiException, JetStreamStatusCheckedException, InterruptedException {
        BaseConsumerContext consumer = connection.getStreamContext(history.stream())
                .createOrderedConsumer(new OrderedConsumerConfiguration().filterSubject(request.subject)
                        .deliverPolicy(DeliverPolicy.ByStartTime).startTime(request.from));
        long left = Long.MAX_VALUE; // until the first message says how many follow: later ones are not awaited
        while (left > 0 && !isClosed.getAsBoolean()) {
            left = readBatch(consumer, left);
        }
    }

    /** Returns how many of the messages that existed when the reading began are still to be read. */
    private long readBatch(BaseConsumerContext consumer, long before)
            throws IOException, JetStreamApiException, JetStreamStatusCheckedException, InterruptedException {
        long left = before;
        FetchConsumer batch = consumer.fetch(FetchConsumeOptions.builder().max(batchBytes, BATCH_MESSAGES).noWait().build());
        try {
            Message next = batch.nextMessage();
            if (next == null) {
                return 0;
            }
            for (; next != null; next = batch.nextMessage()) {
                left = left == Long.MAX_VALUE ? next.metaData().pendingCount() : left - 1;
                while (!events.mayFetchMore() && !isClosed.getAsBoolean()) {
                    LockSupport.parkNanos(FULL_WAIT_NANOS);
                }
                events.onKept(next.getData());
            }
        } finally {
            batch.stop();
        }
        return left;
    }
}
