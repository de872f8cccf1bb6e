package io.trivet.scenarios;

/** An action on a server from outside its loops, as if by another thread. */
sealed interface ExternalAction {
    /** Returns the time of the action, since the start of the run. */
    long atNanos();

    /** Returns the number of the server; -1 if the action concerns none. */
    int server();

    /** Returns the subject of the action, for reports; {@link Object#toString} continues the sentence. */
    default String subject() {
        return "server " + server();
    }

    /** Sends a message to every connection. */
    record Broadcast(long atNanos, int server, int size) implements ExternalAction {
        @Override
        public String toString() {
            return "broadcasts a message of " + size + " bytes";
        }
    }

    /** Sends messages to one connection: {@code pick} selects it among the open ones. */
    record Send(long atNanos, int server, int pick, int count, int size, boolean sendFirst) implements ExternalAction {
        @Override
        public String toString() {
            return "sends " + count + "x" + size + " bytes to connection " + pick + (sendFirst ? ", with sendFirst" : "");
        }
    }

    /** Pauses reading of one connection for some time. */
    record Pause(long atNanos, int server, int pick, long nanos) implements ExternalAction {
        @Override
        public String toString() {
            return "pauses connection " + pick + " for " + ReportText.duration(nanos);
        }
    }

    /** Finishes one connection. */
    record Finish(long atNanos, int server, int pick) implements ExternalAction {
        @Override
        public String toString() {
            return "finishes connection " + pick;
        }
    }

    /** Closes one connection. */
    record Close(long atNanos, int server, int pick) implements ExternalAction {
        @Override
        public String toString() {
            return "closes connection " + pick;
        }
    }

    /** Sends a datagram from one of the clients' hosts to another. */
    record Datagram(long atNanos, int size) implements ExternalAction {
        @Override
        public int server() {
            return -1;
        }

        @Override
        public String subject() {
            return "a host of clients";
        }

        @Override
        public String toString() {
            return "sends a datagram of " + size + " bytes";
        }
    }

    /** Connects a client to the {@link SessionServer}. */
    record Converse(long atNanos, Conversation conversation) implements ExternalAction {
        @Override
        public int server() {
            return -1;
        }

        @Override
        public String subject() {
            return "a new client connects:";
        }

        @Override
        public String toString() {
            return conversation.toString();
        }
    }

    /** Drains the {@link SessionServer}. */
    record DrainSessions(long atNanos, long timeoutNanos) implements ExternalAction {
        @Override
        public int server() {
            return -1;
        }

        @Override
        public String subject() {
            return "the server of sessions";
        }

        @Override
        public String toString() {
            return "drains within " + ReportText.duration(timeoutNanos);
        }
    }

    /** Connects a client, or a pair of them, to the {@link RelayServer}. */
    record ConnectRelayed(long atNanos, RelayPlan plan) implements ExternalAction {
        @Override
        public int server() {
            return -1;
        }

        @Override
        public String subject() {
            return "a new client connects:";
        }

        @Override
        public String toString() {
            return plan.toString();
        }
    }

    /** Drains the {@link RelayServer}. */
    record DrainRelays(long atNanos, long timeoutNanos) implements ExternalAction {
        @Override
        public int server() {
            return -1;
        }

        @Override
        public String subject() {
            return "the server of relays";
        }

        @Override
        public String toString() {
            return "drains within " + ReportText.duration(timeoutNanos);
        }
    }

    /** Runs a {@link Trial}. */
    record RunTrial(long atNanos, TrialKind kind, long seed) implements ExternalAction {
        @Override
        public int server() {
            return -1;
        }

        @Override
        public String subject() {
            return "a network of its own:";
        }

        @Override
        public String toString() {
            return "a trial of " + ReportText.words(kind) + ' ' + Long.toUnsignedString(seed, 36);
        }
    }

    /** Connects a client to the {@link SecuredServer}. */
    record ConnectSecured(long atNanos, SecuredPlan plan) implements ExternalAction {
        @Override
        public int server() {
            return -1;
        }

        @Override
        public String subject() {
            return "a new client connects:";
        }

        @Override
        public String toString() {
            return plan.toString();
        }
    }

    /** Drains the {@link SecuredServer}. */
    record DrainSecured(long atNanos, long timeoutNanos) implements ExternalAction {
        @Override
        public int server() {
            return -1;
        }

        @Override
        public String subject() {
            return "the server with TLS";
        }

        @Override
        public String toString() {
            return "drains within " + ReportText.duration(timeoutNanos);
        }
    }

    /** Connects a client to the {@link GuardedServer}. */
    record ConnectGuarded(long atNanos, GuardedPlan plan) implements ExternalAction {
        @Override
        public int server() {
            return -1;
        }

        @Override
        public String subject() {
            return "a new client connects:";
        }

        @Override
        public String toString() {
            return plan.toString();
        }
    }

    /**
     * Drains the server, which may be draining already. If {@code inCallback}, the next callback of its application requests the
     * drain.
     */
    record Drain(long atNanos, int server, long timeoutNanos, boolean inCallback) implements ExternalAction {
        @Override
        public String toString() {
            return "drains within " + ReportText.duration(timeoutNanos) + (inCallback ? ", requested in a callback" : "");
        }
    }

    /** Closes the server, which may be draining. */
    record Shutdown(long atNanos, int server, boolean inCallback) implements ExternalAction {
        @Override
        public String toString() {
            return "closes" + (inCallback ? ", requested in a callback" : "");
        }
    }
}
