package io.trivet.sim.kernel;

/**
 * The slots of a script that hold its sockets. Connecting streams are in {@code c0}…, accepted ones in {@code s0}…. Which client an accepted
 * stream belongs to is part of the outcome of the accept.
 */
final class Slot {
    static final int LISTENERS = 2;
    static final int CONNECTIONS = 6;
    static final int DATAGRAMS = 2;

    static final int FIRST_LISTENER = 0;
    static final int FIRST_CLIENT = FIRST_LISTENER + LISTENERS;
    static final int FIRST_SERVER = FIRST_CLIENT + CONNECTIONS;
    static final int FIRST_DATAGRAM = FIRST_SERVER + CONNECTIONS;
    static final int SOURCE = FIRST_DATAGRAM + DATAGRAMS;
    static final int SINK = SOURCE + 1;
    static final int COUNT = SINK + 1;

    private Slot() {}

    static boolean isListener(int slot) {
        return slot < FIRST_CLIENT;
    }

    static boolean isClient(int slot) {
        return slot >= FIRST_CLIENT && slot < FIRST_SERVER;
    }

    static boolean isStream(int slot) {
        return slot >= FIRST_CLIENT && slot < FIRST_DATAGRAM;
    }

    static boolean isDatagram(int slot) {
        return slot >= FIRST_DATAGRAM && slot < SOURCE;
    }

    /** Returns the name of a slot: two characters. */
    static String name(int slot) {
        if (slot < FIRST_CLIENT) {
            return "l" + (slot - FIRST_LISTENER);
        } else if (slot < FIRST_SERVER) {
            return "c" + (slot - FIRST_CLIENT);
        } else if (slot < FIRST_DATAGRAM) {
            return "s" + (slot - FIRST_SERVER);
        } else if (slot < SOURCE) {
            return "u" + (slot - FIRST_DATAGRAM);
        }
        return slot == SOURCE ? "pr" : "pw";
    }
}
