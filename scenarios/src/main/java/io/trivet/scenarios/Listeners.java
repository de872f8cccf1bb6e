package io.trivet.scenarios;

/** Where a server listens. */
enum Listeners {
    /** At one TCP port. */
    PORT,
    /** At two TCP ports: every other client connects to the second. */
    TWO_PORTS,
    /** At a TCP port and a path of a Unix domain socket, to which every other client connects. */
    PORT_AND_PATH,
    /** Only at an abstract name of a Unix domain socket. */
    ABSTRACT_NAME;

    /** Returns the number of listeners. */
    int count() {
        return this == TWO_PORTS || this == PORT_AND_PATH ? 2 : 1;
    }

    /** Returns whether clients may connect to a Unix domain socket. */
    boolean hasUnix() {
        return this == PORT_AND_PATH || this == ABSTRACT_NAME;
    }
}
