package io.trivet.scenarios;

/** What is done to a server from outside, by what would be another thread. */
sealed interface Act {
    /** When, from the beginning. */
    long atNanos();

    /** To which server; -1: to none. */
    int server();

    /** To whom, as a reader is told. */
    default String subject() {
        return "server " + server();
    }

    /** A message to every connection. */
    record Broadcast(long atNanos, int server, int size) implements Act {
        @Override
        public String toString() {
            return "broadcasts a message of " + size + " bytes";
        }
    }

    /** Messages to one connection: the one at that place among those that are open. */
    record Tell(long atNanos, int server, int pick, int count, int size, boolean ahead) implements Act {
        @Override
        public String toString() {
            return "sends " + count + "x" + size + " bytes to connection " + pick + (ahead ? ", ahead of all" : "");
        }
    }

    /** One connection is not read for some time. */
    record Pause(long atNanos, int server, int pick, long nanos) implements Act {
        @Override
        public String toString() {
            return "pauses connection " + pick + " for " + Words.time(nanos);
        }
    }

    /** One connection is finished. */
    record Finish(long atNanos, int server, int pick) implements Act {
        @Override
        public String toString() {
            return "finishes connection " + pick;
        }
    }

    /** One connection is closed. */
    record Close(long atNanos, int server, int pick) implements Act {
        @Override
        public String toString() {
            return "closes connection " + pick;
        }
    }

    /** A datagram from one of the clients' hosts to another. */
    record Datagram(long atNanos, int size) implements Act {
        @Override
        public int server() {
            return -1;
        }

        @Override
        public String subject() {
            return "a client's host";
        }

        @Override
        public String toString() {
            return "sends a datagram of " + size + " bytes";
        }
    }

    /** The server drains, perhaps once more; asked by the next callback of its application, if it is from within. */
    record Drain(long atNanos, int server, long timeoutNanos, boolean within) implements Act {
        @Override
        public String toString() {
            return "drains within " + Words.time(timeoutNanos) + (within ? ", asked in a callback" : "");
        }
    }

    /** The server closes, perhaps while it drains. */
    record Shut(long atNanos, int server, boolean within) implements Act {
        @Override
        public String toString() {
            return "closes" + (within ? ", asked in a callback" : "");
        }
    }
}
