package io.trivet.observe;

import java.net.InetSocketAddress;

/**
 * The state of a listening socket at one moment.
 *
 * @param address the address at which it listens
 * @param state whether the first loop watches it for clients, and the reason
 */
public record ListenerSnapshot(InetSocketAddress address, State state) {
    /** Whether a listening socket is watched for clients. */
    public enum State {
        /** It is watched: readable when a client waits to be accepted. */
        ACCEPTING("read: readable when a client waits to be accepted"),
        /** It is not watched: the server has its maximum number of connections. Further clients wait in the backlog. */
        AT_LIMIT("not read: the server has its maximum number of connections"),
        /** It is not watched for a while, because the kernel could not accept: there is no descriptor or no memory left. */
        BACKED_OFF("not read: the kernel could not accept, and is asked again soon"),
        /** It is not watched yet: the server that is to be replaced by this one still accepts. */
        AWAITING_HANDOVER("not read: the server that is to be replaced still accepts"),
        /** It is closed: the server drains, or is closed. */
        CLOSED("closed: the server accepts nothing more");

        private final String description;

        State(String description) {
            this.description = description;
        }

        /**
         * Returns the state as a clause for logs and messages.
         *
         * @return a clause in lower case, without a full stop
         */
        public String description() {
            return description;
        }
    }
}
