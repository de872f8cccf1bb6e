package io.trivet.scenarios;

/** The bounds of a server, as what happens when one is reached. */
enum Limit {
    /** No more is accepted. */
    CONNECTIONS,
    /** One more from there is turned away. */
    CONNECTIONS_PER_ADDRESS,
    /** No descriptor, or no memory, was left to accept with. */
    DESCRIPTORS,
    /** A message did not fit into a queue. */
    QUEUE_BYTES,
    /** A queue stood at its high mark. */
    QUEUE_HIGH,
    /** A queue has fallen to its low mark. */
    QUEUE_LOW,
    /** All queues together were full. */
    QUEUE_BUDGET,
    /** A message was too long. */
    MESSAGE_BYTES,
    /** A message took too long. */
    MESSAGE_TIME,
    /** The first message took too long. */
    FIRST_MESSAGE_TIME,
    /** Nothing happened for too long. */
    IDLE_TIME,
    /** A peer took nothing for too long. */
    WRITE_TIME,
    /** A connect took too long. */
    CONNECT_TIME,
    /** A peer did not finish in time after we had. */
    LINGER_TIME,
    /** A peer went on for too long after we had finished. */
    LINGER_BYTES,
    /** Draining took too long. */
    DRAIN_TIME
}
