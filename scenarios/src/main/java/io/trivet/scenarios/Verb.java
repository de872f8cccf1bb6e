package io.trivet.scenarios;

/** What a client's message asks of the application. Every method of a connection is behind one of them. */
enum Verb {
    /** Nothing: the message is only received. */
    QUIET,
    /** The message itself, sent back from where it lies. */
    ECHO,
    /** Answers as bytes. */
    ANSWER,
    /** Answers as text. */
    ANSWER_TEXT,
    /** An ordinary answer, and then one ahead of all that wait. */
    FIRST,
    /** Answers, as far as they fit. */
    OFFER,
    /** Answers while the queue is not high, and the rest when it has drained. */
    PUMP,
    /** An answer after some time. */
    LATER,
    /** An answer from a task. */
    SOON,
    /** A message to every connection of the server. */
    BROADCAST,
    /** A message to another connection of the server, on whichever loop. */
    TELL,
    /** Nothing is read for some time. */
    PAUSE,
    /** An urgent byte. */
    URGENT,
    /** An answer, and the end of our output. */
    FINISH_OUTPUT,
    /** An answer, and the end. */
    FINISH,
    /** The end at once. */
    CLOSE,
    /** An exception. */
    THROW,
    /** An exception from a task, which is nobody's fault but the task's. */
    THROW_IN_TASK,
    /** An exception from what was to be done after some time. */
    THROW_IN_TIMER,
    /** A pause that ends at once. */
    BLINK,
    /** Another connection is not read for some time, on whichever loop. */
    PAUSE_ANOTHER,
    /** An answer from a task of another connection, on whichever loop, and one after some time. */
    BY_ANOTHER,
    /** An empty message. */
    EMPTY,
    /** An answer that fills the whole queue, to the last byte. */
    CAP,
    /** The message itself, sent to another connection from where it lies. */
    RELAY
}
