package io.trivet.scenarios;

/** Events at the limits of a server. */
enum Limit {
    /** The maximum number of connections was reached; no more are accepted. */
    CONNECTIONS,
    /** The maximum number of connections from one address was reached; the next one is closed. */
    CONNECTIONS_PER_ADDRESS,
    /** No descriptor, or no memory, was left for an accept. */
    DESCRIPTORS,
    /** A message did not fit into a queue. */
    QUEUE_BYTES,
    /** A queue reached its high mark. */
    QUEUE_HIGH,
    /** A queue fell to its low mark. */
    QUEUE_LOW,
    /** All queues together exceeded the budget. */
    QUEUE_BUDGET,
    /** A message was too long. */
    MESSAGE_BYTES,
    /** A message took too long. */
    MESSAGE_TIME,
    /** The first message took too long. */
    FIRST_MESSAGE_TIME,
    /** A connection was idle for too long. */
    IDLE_TIME,
    /** A peer accepted no bytes for too long. */
    WRITE_TIME,
    /** A connect took too long. */
    CONNECT_TIME,
    /** A lingering connection's peer did not finish in time. */
    LINGER_TIME,
    /** A lingering connection's peer sent too many bytes. */
    LINGER_BYTES,
    /** Draining took too long. */
    DRAIN_TIME
}
