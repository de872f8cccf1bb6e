package io.trivet.nats;

import java.time.Duration;

/**
 * Provider interface (SPI): what carries messages between servers, such as NATS. A bus delivers a message at most once to each
 * subscriber, or more often; it may lose any message. What one link publishes should arrive in that order. {@link Relay} numbers
 * what it publishes, so it notices what was lost, repeated or reordered.
 *
 * <p><b>Threads.</b> A relay calls a bus and its links on its server's first loop, so no method may block. A link may call its
 * {@link Events} on any thread, one at a time. Only what a fetch delivers may arrive at the same time, on another thread.
 */
public interface Bus {
    /**
     * Starts to connect, once, and returns at once. The relay connects again after {@link Events#onClosed}, with a new link.
     *
     * @param events notified of what happens to the link. May be called before this method returns
     * @return the link
     */
    Link connect(Events events);

    /** One connection to the bus, from its attempt to its end. */
    interface Link {
        /**
         * Sends a message to all that have subscribed to a subject.
         *
         * @param subject the subject
         * @param message the message; must not change afterwards
         * @return false: not accepted, because the link has too much to send, or is closed. The relay tries again soon
         * @throws IllegalArgumentException the bus does not carry messages of that length
         */
        boolean publish(String subject, byte[] message);

        /**
         * Returns the length of the longest message that the bus carries.
         *
         * @return the number of bytes, once the link is connected
         */
        long messageBytesMax();

        /**
         * Subscribes to a subject.
         *
         * @param subject the subject
         */
        void subscribe(String subject);

        /**
         * Ends a subscription. Messages that are on their way may still arrive.
         *
         * @param subject the subject
         */
        void unsubscribe(String subject);

        /**
         * Requests the messages of a subject that the bus has kept. They are delivered in order to {@link Events#onKept}. Then
         * {@link Events#onFetched} is called, even if some or all could not be read.
         *
         * @param subject the subject
         * @param back the maximum age of the messages
         * @return false if this bus keeps nothing; then neither is called
         */
        default boolean fetch(String subject, Duration back) {
            return false;
        }

        /** Sends what was accepted, in bounded time, and closes. {@link Events#onClosed} follows. */
        void finish();

        /** Closes at once. {@link Events#onClosed} follows. */
        void close();
    }

    /** What happens to a link. First {@link #onConnected}, unless it cannot connect; {@link #onClosed} once, as the last. */
    interface Events {
        /** The link is connected. */
        void onConnected();

        /**
         * A message has arrived.
         *
         * @param message the message, which belongs to the receiver from now on
         */
        void onMessage(byte[] message);

        /**
         * A message that the bus has kept was read.
         *
         * @param message the message, which belongs to the receiver from now on
         */
        default void onKept(byte[] message) {}

        /**
         * A {@link Link#fetch} is over, whether the bus had all messages or not.
         *
         * @param subject its subject
         */
        default void onFetched(String subject) {}

        /**
         * The messages that the bus should keep cannot be read. May be called at any time, and repeatedly.
         *
         * @param problem the problem, in one line
         */
        default void onHistoryProblem(String problem) {}

        /**
         * Returns whether a fetch may deliver more now. If not, it waits for a moment, until more of what has arrived is processed.
         *
         * @return false to wait
         */
        default boolean mayFetchMore() {
            return true;
        }

        /** The bus reports that it has dropped messages for this link, which receives too slowly. */
        void onSlow();

        /**
         * The link has ended, or could not connect.
         *
         * @param reason why, for a log; contains nothing secret
         */
        void onClosed(String reason);
    }
}
