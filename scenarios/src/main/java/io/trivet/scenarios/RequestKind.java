package io.trivet.scenarios;

/** What a client's message requests of the application. Together the requests use every method of a connection. */
enum RequestKind {
    /** Nothing: the message is only received. */
    NO_REPLY,
    /** Send the message back from the receive buffer. */
    ECHO,
    /** Reply with bytes. */
    REPLY,
    /** Reply with text. */
    REPLY_TEXT,
    /** Reply in the ordinary lane, and then with sendFirst. */
    REPLY_FIRST,
    /** Offer replies. Those that do not fit are not sent. */
    OFFER,
    /** Reply until the queue is high, and send the rest when it has drained. */
    PUMP,
    /** Reply after some time. */
    REPLY_LATER,
    /** Reply from a task. */
    REPLY_IN_TASK,
    /** Send a message to every connection of the server. */
    BROADCAST,
    /** Send a message to another connection of the server, on any loop. */
    MESSAGE_TO_OTHER,
    /** Pause reading for some time. */
    PAUSE,
    /** Send an urgent byte. */
    URGENT,
    /** Reply, and finish the output. */
    FINISH_OUTPUT,
    /** Reply, and finish. */
    FINISH,
    /** Close at once. */
    CLOSE,
    /** Throw an exception. */
    THROW,
    /** Throw an exception from a task, which does not close the connection. */
    THROW_IN_TASK,
    /** Throw an exception from a timer. */
    THROW_IN_TIMER,
    /** Pause reading and resume it at once. */
    PAUSE_AND_RESUME,
    /** Pause reading of another connection for some time, on any loop. */
    PAUSE_OTHER,
    /** Send a message to another connection from a task on its loop, and one from a timer. */
    TASK_ON_OTHER,
    /** Send an empty message. */
    EMPTY_REPLY,
    /** Send a message that fills the whole queue, to the last byte. */
    FILL_QUEUE,
    /** Send the message to another connection from the receive buffer. */
    RELAY,
    /** Cancel the timer of the previous such request, and schedule another. It is often due after the end of the connection. */
    RENEW_TIMER,
    /** The same as RENEW_TIMER, but on another connection of any loop. */
    RENEW_TIMER_OF_OTHER,
    /** Stream a reply. Generated only in some scenarios, in place of REPLY. */
    REPLY_STREAM,
    /** Run a task that belongs to no connection, schedule two more, and cancel one of these. */
    SERVER_TASKS,
    /** Run several tasks on the connection's loop. */
    TASKS,
    /** Schedule several timers, some for the same time, some without a delay, and one more from within each of these. */
    TIMERS,
    /** Reset the connection. */
    RESET,
    /** Reply with a message whose listener is called when it has been sent. */
    REPLY_REPORTED,
    /** Set the limits of the connection to what they are, now and after some time, which must change nothing. */
    SAME_LIMITS,
    /** Set an option of the socket, and read it. */
    SET_OPTION,
    /** Receive the frame of the next message in parts. */
    NEXT_IN_PARTS
}
