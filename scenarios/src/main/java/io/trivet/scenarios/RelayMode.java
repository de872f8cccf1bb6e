package io.trivet.scenarios;

/** Between what a relay server relays. */
enum RelayMode {
    /** Between a client and a connection to another server, in both directions, until the end. */
    UPSTREAM,
    /** Between two clients, in both directions, until the end. */
    PAIR,
    /** A number of bytes from a client to another server; then messages follow. */
    COUNTED
}
