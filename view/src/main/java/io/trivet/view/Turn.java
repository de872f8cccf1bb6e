package io.trivet.view;

import io.trivet.observe.LoopEvent;
import java.util.List;

/**
 * What a loop did in one turn.
 *
 * @param number the number of the turn, counted over all loops
 * @param millis when it ended, in milliseconds since 1970
 * @param done how much was done; 0: the timeout expired, or the loop was only woken up
 * @param events what happened, in order; the first ones, if there were very many
 * @param eventCount how many events there were
 */
record Turn(int loop, long number, long millis, long waitNanos, long workNanos, int done, List<Event> events, int eventCount) {
    /** Returns true if a socket has joined or left a list in this turn. */
    boolean changesLists() {
        return events.stream().anyMatch(event -> changesLists(event.kind()));
    }

    /** Returns true if a socket joins or leaves a list by such an event. */
    static boolean changesLists(LoopEvent kind) {
        return switch (kind) {
            case OPENED, SOCKET_FULL, SOCKET_DRAINED, QUEUE_HIGH, QUEUE_LOW, URGENT, INPUT_ENDED, CLOSED -> true;
            case ACCEPTED, RECEIVED, DELIVERED, SENT, WRITABLE, DROPPED, TASKS -> false;
        };
    }

    /**
     * Something that happened.
     *
     * @param connection the id of the connection, or -1
     * @param amount as described at {@link LoopEvent}
     */
    record Event(LoopEvent kind, long connection, long amount) {}
}
