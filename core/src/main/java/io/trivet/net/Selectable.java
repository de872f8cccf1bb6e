package io.trivet.net;

/**
 * Anything that can stand in one of the three lists: a socket, or an object of your own that has one.
 *
 * <p>The lists that come back hold the caller's own objects, so a class with a socket in it needs no map from socket to object.
 */
@FunctionalInterface
public interface Selectable {
    /**
     * The socket whose readiness is meant. It is asked for once a list, at the beginning of each call.
     *
     * @return the socket; never null
     */
    Socket socket();
}
