package io.trivet.scenarios;

/**
 * One message of a client, and what it requests of the application.
 *
 * @param kind what is requested
 * @param length the bytes of the message, without its frame
 * @param count the number of replies
 * @param size the bytes of each reply
 * @param delayNanos the delay, for requests that have one
 */
record Request(RequestKind kind, int length, int count, int size, long delayNanos) {
    @Override
    public String toString() {
        String what = ReportText.words(kind) + "[" + length;
        return switch (kind) {
            case NO_REPLY, ECHO, CLOSE, THROW, THROW_IN_TASK, PAUSE_AND_RESUME, URGENT, EMPTY_REPLY, FILL_QUEUE, RELAY, RESET,
                    SET_OPTION, NEXT_IN_PARTS ->
                what + "]";
            case REPLY, REPLY_STREAM, REPLY_TEXT, OFFER, PUMP -> what + " -> " + count + "x" + size + "]";
            case REPLY_FIRST, REPLY_IN_TASK, REPLY_REPORTED, BROADCAST, MESSAGE_TO_OTHER, FINISH_OUTPUT, FINISH ->
                what + " -> " + size + "]";
            case REPLY_LATER, TASK_ON_OTHER, RENEW_TIMER, RENEW_TIMER_OF_OTHER ->
                what + " -> " + size + " in " + ReportText.duration(delayNanos) + "]";
            case TASKS -> what + " -> " + count + " tasks]";
            case TIMERS -> what + " -> " + count + " timers in " + ReportText.duration(delayNanos) + "]";
            case THROW_IN_TIMER, SERVER_TASKS, SAME_LIMITS -> what + " in " + ReportText.duration(delayNanos) + "]";
            case PAUSE, PAUSE_OTHER -> what + " for " + ReportText.duration(delayNanos) + "]";
        };
    }
}
