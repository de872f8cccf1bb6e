package io.trivet.scenarios;

import java.util.List;
import java.util.stream.Collectors;

/** What a client does at one step of its script. */
sealed interface Deed {
    /** Says whole messages, one behind the other. */
    record Say(List<Ask> asks) implements Deed {
        @Override
        public String toString() {
            return "says " + asks.stream().map(Ask::toString).collect(Collectors.joining(" "));
        }
    }

    /** Says a message that is longer than the server takes. */
    record SayTooLong(int length) implements Deed {
        @Override
        public String toString() {
            return "says a message of " + length + " bytes, which is too long";
        }
    }

    /** Begins a message and never ends it. */
    record SayPart(int length, int sent) implements Deed {
        @Override
        public String toString() {
            return "says " + sent + " bytes of a message of " + length + ", and no more";
        }
    }

    /** Sends one urgent byte, past what waits to be written. */
    record Urgent() implements Deed {
        @Override
        public String toString() {
            return "sends an urgent byte";
        }
    }

    /** Reads nothing for some time. */
    record Rest(long nanos) implements Deed {
        @Override
        public String toString() {
            return "reads nothing for " + Words.time(nanos);
        }
    }

    /** Ends its output when everything was written, and reads on. */
    record Finish() implements Deed {
        @Override
        public String toString() {
            return "ends its output";
        }
    }

    /** Closes, whatever waits. */
    record HangUp() implements Deed {
        @Override
        public String toString() {
            return "hangs up";
        }
    }

    /** Closes by a reset. */
    record Reset() implements Deed {
        @Override
        public String toString() {
            return "resets";
        }
    }
}
