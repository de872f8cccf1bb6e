package io.trivet.observe;

import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One connection at one moment.
 *
 * @param id its number; no other connection of the server has had it
 * @param remoteAddress the peer
 * @param loop the index of its loop
 * @param state where it stands
 * @param readable whether it stands in the list of those watched for input
 * @param writable whether it stands in the list of those watched for output
 * @param exceptional whether it stands in the list of those watched for urgent data
 * @param why why it stands in these lists and not in others, in words
 * @param queueBytes the bytes that wait for the peer
 * @param queueBytesMax the cap of the queue
 * @param queueMessages the messages that wait for the peer
 * @param oldestAge how long the oldest of them has waited
 * @param bytesIn the bytes received so far
 * @param bytesOut the bytes handed to the kernel so far
 * @param sinceActivity how long ago bytes came or went
 * @param closeReason why it is ending; null while it is not
 */
public record ConnectionSnapshot(long id, @Nullable InetSocketAddress remoteAddress, int loop, ConnectionState state,
        boolean readable, boolean writable, boolean exceptional, String why, long queueBytes, long queueBytesMax,
        int queueMessages, Duration oldestAge, long bytesIn, long bytesOut, Duration sinceActivity,
        @Nullable CloseReason closeReason) {}
