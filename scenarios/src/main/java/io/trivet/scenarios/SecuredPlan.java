package io.trivet.scenarios;

import java.util.List;

/**
 * What a client of the {@link SecuredServer} does.
 *
 * @param number the number of the client
 * @param kind what it does to its connection
 * @param isTls12 true for TLS 1.2, in which a close_notify ends both directions
 * @param asks its messages
 * @param cut where the handshake or the last record is cut, in thousandths
 * @param gapNanos the time between two messages
 * @param unreadNanos how long it reads nothing after its handshake
 * @param awaitsReplies true if it ends only when it has received all replies
 * @param awaitsEnd true if it waits for the end of the TCP stream after the server's close_notify; otherwise it then ends its own
 */
record SecuredPlan(int number, SecuredClientKind kind, boolean isTls12, List<Ask> asks, int cut, long gapNanos,
        long unreadNanos, boolean awaitsReplies, boolean awaitsEnd) {
    /** What the server does for a message. */
    enum Answer {
        /** Replies. */
        REPLY,
        /** Replies, and finishes the connection. */
        FINISH,
        /** Closes the connection at once. */
        CLOSE
    }

    /**
     * One message.
     *
     * @param answer what the server does
     * @param length the length of the message
     * @param size the length of the reply
     */
    record Ask(Answer answer, int length, int size) {
        @Override
        public String toString() {
            return ReportText.words(answer) + "[" + length + " -> " + size + "]";
        }
    }

    /** Returns the content of a message. */
    byte[] message(int ask) {
        return MessageContent.of("s" + number + "." + ask, asks.get(ask).length, ClientFraming.PREFIXED_4);
    }

    /** Returns the content of a reply. */
    byte[] reply(int ask) {
        return MessageContent.of("a" + number + "." + ask, asks.get(ask).size, ClientFraming.PREFIXED_4);
    }

    /** Returns true if the server ends the connection by itself after one of the messages. */
    boolean isEndedByServer() {
        return asks.stream().anyMatch(ask -> ask.answer != Answer.REPLY);
    }

    @Override
    public String toString() {
        return "client " + number + " with TLS " + (isTls12 ? "1.2, " : "1.3, ") + ReportText.words(kind)
                + (kind.connects() ? ": sends " + asks + (gapNanos > 0 ? " every " + ReportText.duration(gapNanos) : "")
                        + (awaitsReplies ? ", awaits the replies" : "") + (awaitsEnd ? ", awaits the server's end" : "") : "")
                + (unreadNanos > 0 ? ", reads nothing for " + ReportText.duration(unreadNanos) : "") + ", cut at " + cut
                + "/1000";
    }
}
