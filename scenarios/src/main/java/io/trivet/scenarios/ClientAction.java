package io.trivet.scenarios;

import java.util.List;
import java.util.stream.Collectors;

/** What a client does in one step of its script. */
sealed interface ClientAction {
    /** Sends complete messages, one after the other. */
    record SendMessages(List<Request> requests) implements ClientAction {
        @Override
        public String toString() {
            return "sends " + requests.stream().map(Request::toString).collect(Collectors.joining(" "));
        }
    }

    /** Sends a message that is longer than the server accepts. */
    record SendOversized(int length) implements ClientAction {
        @Override
        public String toString() {
            return "sends a message of " + length + " bytes, which exceeds the limit";
        }
    }

    /** Sends the length of a message that is longer than the server accepts, and no more. */
    record SendLength(long length) implements ClientAction {
        @Override
        public String toString() {
            return "sends a length of " + length + " bytes, which exceeds the limit";
        }
    }

    /** Sends a byte that no frame starts with. */
    record SendMalformed() implements ClientAction {
        @Override
        public String toString() {
            return "sends a byte that no frame starts with";
        }
    }

    /** Starts a message and never completes it. */
    record SendPartial(int length, int sent) implements ClientAction {
        @Override
        public String toString() {
            return "sends " + sent + " bytes of a message of " + length + ", and no more";
        }
    }

    /** Sends one urgent byte, past the bytes that wait to be written. */
    record SendUrgent() implements ClientAction {
        @Override
        public String toString() {
            return "sends an urgent byte";
        }
    }

    /** Reads nothing for some time. */
    record PauseReading(long nanos) implements ClientAction {
        @Override
        public String toString() {
            return "reads nothing for " + ReportText.duration(nanos);
        }
    }

    /** Ends its output once everything is written, and continues to read. */
    record FinishOutput() implements ClientAction {
        @Override
        public String toString() {
            return "ends its output";
        }
    }

    /** Closes the connection at once. */
    record Close() implements ClientAction {
        @Override
        public String toString() {
            return "closes at once";
        }
    }

    /** Resets the connection. */
    record Reset() implements ClientAction {
        @Override
        public String toString() {
            return "resets";
        }
    }
}
