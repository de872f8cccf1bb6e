package io.trivet.scenarios;

/** By which method a message is given to a connection. */
enum Sending {
    BYTES, TEXT, OFFER, AHEAD
}
