package io.trivet.sim.world;

/** What is done to a server from outside, by what would be another thread. */
sealed interface Act {
    /** When, from the beginning. */
    long atNanos();

    /** To which server. */
    int server();

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

    /** The server drains. */
    record Drain(long atNanos, int server, long timeoutNanos) implements Act {
        @Override
        public String toString() {
            return "drains within " + Words.time(timeoutNanos);
        }
    }

    /** The server closes. */
    record Shut(long atNanos, int server) implements Act {
        @Override
        public String toString() {
            return "closes";
        }
    }
}
