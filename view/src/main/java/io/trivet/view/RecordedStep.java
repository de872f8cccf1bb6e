package io.trivet.view;

import io.trivet.observe.ListenerSnapshot;
import io.trivet.observe.LoopEvent;
import io.trivet.observe.ServerStats;
import java.util.List;

/**
 * A step of a recorded run, and the state after it.
 *
 * @param nanos the time since the run began
 * @param turn what a loop did; of the last step, a turn of no loop and without events
 * @param lines what else has happened since the step before
 * @param linesLeftOut how many more lines there were
 * @param rows the open connections
 * @param stats the counters of each server
 * @param ends the connections that were closed since the step before
 * @param failed true if the run has failed in this step
 * @param isLast true if the recording ends with it
 */
record RecordedStep(long nanos, Turn turn, List<String> lines, int linesLeftOut, List<Recording.KeptRow> rows,
        List<ServerStats> stats, List<ListenerSnapshot> listeners, List<Recording.End> ends, boolean failed, boolean isLast) {
    private static final int OPENED = 1;
    private static final int CLOSED = 2;
    private static final int FULL = 4;
    private static final int FAULT = 8;
    private static final int FAILED = 16;

    RecordedStep asFailed() {
        return new RecordedStep(nanos, turn, lines, linesLeftOut, rows, stats, listeners, ends, true, isLast);
    }

    /** Returns what a timeline marks, as bits: a connection was opened, or closed; a socket or a queue was full; a fault; the failure. */
    int marks() {
        int marks = (failed ? FAILED : 0) | (ends.isEmpty() ? 0 : CLOSED)
                | (lines.stream().anyMatch(RecordedStep::isFault) ? FAULT : 0);
        for (Turn.Event event : turn.events()) {
            if (event.kind() == LoopEvent.OPENED) {
                marks |= OPENED;
            } else if (event.kind() == LoopEvent.SOCKET_FULL || event.kind() == LoopEvent.QUEUE_HIGH) {
                marks |= FULL;
            }
        }
        return marks;
    }

    /** Returns true for a line of a simulated network about a fault. */
    private static boolean isFault(String line) {
        return line.strip().startsWith("fault ") || line.contains(": fault ");
    }
}
