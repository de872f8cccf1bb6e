package io.trivet.nats;

import java.time.Duration;
import java.util.Objects;

/**
 * A stream of NATS JetStream that keeps the messages of all servers, so that gaps can be filled. If there is no stream of that name, the first
 * server that connects creates it, in memory. An existing stream is not changed, and must have the subjects {@code PREFIX.t.>} and
 * {@code PREFIX.d.>}.
 *
 * @param stream the name of the stream
 * @param age how long a stream that is created keeps messages: longer than the longest outage after which gaps are to be filled
 * @param bytesMax the maximum number of bytes that a stream that is created keeps; the oldest messages are dropped
 * @param patience how long a relay waits for the history before it reports a gap; up to three times as long if the bus goes away meanwhile. Until
 *     then, later messages of the same server and topic wait
 */
public record History(String stream, Duration age, long bytesMax, Duration patience) {
    /**
     * Creates settings.
     *
     * @throws IllegalArgumentException a value is out of range; the message names it
     */
    public History {
        Objects.requireNonNull(age, "age");
        if (!stream.matches("[A-Za-z0-9_-]+")) {
            throw new IllegalArgumentException("stream must be letters, digits, _ and -");
        }
        if (!isWithin(age, Duration.ofDays(3650)) || !isWithin(patience, Duration.ofDays(1))) {
            throw new IllegalArgumentException("age must be from 1 ms to 3,650 days, and patience from 1 ms to a day");
        }
        if (bytesMax < 1) {
            throw new IllegalArgumentException("bytesMax must be at least 1");
        }
    }

    private static boolean isWithin(Duration duration, Duration max) {
        return duration.compareTo(Duration.ofMillis(1)) >= 0 && duration.compareTo(max) <= 0;
    }

    /**
     * Returns settings for a stream that keeps a minute and 64 MiB, and a patience of 5 s.
     *
     * @param stream the name of the stream
     * @return settings
     */
    public static History of(String stream) {
        return new History(stream, Duration.ofMinutes(1), 64 << 20, Duration.ofSeconds(5));
    }
}
