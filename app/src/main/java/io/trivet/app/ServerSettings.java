package io.trivet.app;

import io.trivet.server.Limits;
import java.time.Duration;

/**
 * The options of {@code trivet serve}, checked.
 *
 * @param timeout the longest time an idle loop waits in one turn
 * @param urgent whether to watch connections for urgent data
 */
record ServerSettings(ReplyOption reply, FramingOption framing, Duration timeout, OverflowOption overflow, Limits limits,
        int loops,
        int backlog, boolean urgent) {}
