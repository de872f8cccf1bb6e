package io.trivet.app;

import io.trivet.server.Limits;
import java.time.Duration;

/**
 * What a server is told by its command line.
 *
 * @param timeout the longest that an idle loop waits before it goes round again
 * @param overflow what happens to a client that reads too slowly
 * @param limits the bounds
 * @param loops how many loops, each on a thread of its own
 * @param backlog how many clients may wait to be accepted
 * @param urgent whether clients stand in the third list
 */
record ServerSettings(Reply reply, Framing framing, Duration timeout, Overflow overflow, Limits limits, int loops, int backlog,
        boolean urgent) {}
