package io.trivet.app;

import java.time.Duration;

/**
 * What a server is told by its command line.
 *
 * @param timeout the longest that an idle loop waits before it goes round again
 * @param connectionsMax how many clients at a time; more wait in the backlog
 * @param queueBytesMax what may wait for one client
 * @param messageBytesMax the longest message; with raw framing a read is never longer
 * @param idleTimeout a client with which nothing happens for so long is disconnected; zero: never
 * @param writeTimeout a client that takes nothing of its queue for so long is disconnected; zero: never
 * @param urgent whether clients stand in the third list
 */
record ServerSettings(Reply reply, Framing framing, Duration timeout, int connectionsMax, long queueBytesMax, Overflow overflow,
        int messageBytesMax, Duration idleTimeout, Duration writeTimeout, boolean urgent) {}
