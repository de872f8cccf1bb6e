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
import org.jspecify.annotations.Nullable;

/**
 * Reads what a stream of JetStream has kept, for one link. The client waits for each answer, so this is done on a thread of its own, one request
 * after the other.
 */
final class NatsHistory {
    private static final int NOT_FOUND = 404;
    private static final int BATCH_MESSAGES = 256;
    private static final long BATCH_WAIT_MILLIS = 1000;
    private static final long FULL_WAIT_NANOS = 1_000_000;
    private static final long CHECK_SECONDS = 1;

    private record Request(String subject, Duration back) {}

    private final History history;
    private final List<String> subjects;
    private final Bus.Events events;
    private final BooleanSupplier isClosed;
    private final LinkedBlockingQueue<Request> requests = new LinkedBlockingQueue<>();

    /**
     * Creates a reader.
     *
     * @param subjects what the stream must keep
     * @param isClosed true when the link has ended
     */
    NatsHistory(History history, List<String> subjects, Bus.Events events, BooleanSupplier isClosed) {
        this.history = history;
        this.subjects = subjects;
        this.events = events;
        this.isClosed = isClosed;
    }

    /** Starts the thread, which first creates the stream if there is none. */
    void start(Connection connection) {
        Thread.ofPlatform().daemon().name("trivet-nats-history").start(() -> run(connection));
    }

    /** Requests what was published no longer ago than that. The loop's thread. */
    void fetch(String subject, Duration back) {
        requests.add(new Request(subject, back));
    }

    private void run(Connection connection) {
        try {
            boolean isReady = succeeds(() -> prepare(connection));
            while (!isClosed.getAsBoolean()) {
                Request request = requests.poll(CHECK_SECONDS, TimeUnit.SECONDS);
                if (request != null) {
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

    /** Returns false if the call has failed, which was reported. */
    private boolean succeeds(Call call) throws InterruptedException {
        try {
            call.run();
            return true;
        } catch (IOException | JetStreamApiException | JetStreamStatusCheckedException | IllegalStateException e) {
            if (!isClosed.getAsBoolean()) {
                events.onHistoryProblem(
                        "the stream " + history.stream() + " of JetStream: " + NatsBus.withoutSecrets(e.getMessage()));
            }
            return false;
        }
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
                        .deliverPolicy(DeliverPolicy.ByStartTime)
                        .startTime(ZonedDateTime.now(ZoneOffset.UTC).minus(request.back)));
        boolean isOver = false;
        while (!isOver && !isClosed.getAsBoolean()) {
            isOver = readBatch(consumer);
        }
    }

    /** Returns true after the last message. */
    private boolean readBatch(BaseConsumerContext consumer)
            throws IOException, JetStreamApiException, JetStreamStatusCheckedException, InterruptedException {
        @Nullable Message last = null;
        FetchConsumer batch = consumer.fetch(FetchConsumeOptions.builder().maxMessages(BATCH_MESSAGES)
                .noWaitExpiresIn(BATCH_WAIT_MILLIS).build());
        try {
            for (Message next = batch.nextMessage(); next != null; next = batch.nextMessage()) {
                while (!events.mayFetchMore() && !isClosed.getAsBoolean()) {
                    LockSupport.parkNanos(FULL_WAIT_NANOS);
                }
                events.onMessage(next.getData());
                last = next;
            }
        } finally {
            batch.stop();
        }
        return last == null || last.metaData().pendingCount() == 0;
    }
}
