package io.trivet.scenarios;

import java.util.List;

/**
 * What a client of the {@link SessionServer} sends.
 *
 * @param number the number of the client
 * @param asks its messages
 * @param end what it does afterwards
 * @param unreadNanos how long it does not read, at first
 */
record Conversation(int number, List<Ask> asks, ConversationEnd end, long unreadNanos) {
    /**
     * One message, and what the session does for it.
     *
     * @param length the length of the message
     * @param count the number of replies
     * @param size the length of each reply
     * @param nanos the time of a sleep, or of a deadline
     */
    record Ask(SessionRequest request, int length, int count, int size, long nanos) {
        boolean endsSession() {
            return request == SessionRequest.FINISH || request == SessionRequest.THROW;
        }

        @Override
        public String toString() {
            return ReportText.words(request) + "[" + length + " -> " + (count > 1 ? count + "x" : "") + size
                    + (nanos > 0 ? ", " + ReportText.duration(nanos) : "") + "]";
        }
    }

    /** Returns the content of a message. */
    byte[] message(int ask, ClientFraming framing) {
        return MessageContent.of("q" + ask, asks.get(ask).length(), framing);
    }

    /** Returns the content of a reply. */
    byte[] reply(int ask, int index, ClientFraming framing) {
        return asks.get(ask).request() == SessionRequest.ECHO ? message(ask, framing)
                : MessageContent.of("r" + ask + "." + index, asks.get(ask).size(), framing);
    }

    /** Returns the content of the last reply, at the end of the input. */
    static byte[] farewell(ClientFraming framing) {
        return MessageContent.of("bye", 12, framing);
    }

    @Override
    public String toString() {
        return "client " + number + " of the sessions sends " + asks + (unreadNanos > 0 ? ", reads nothing for "
                + ReportText.duration(unreadNanos) : "") + ", then: " + ReportText.words(end);
    }
}
