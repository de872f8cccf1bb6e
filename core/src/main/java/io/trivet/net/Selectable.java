package io.trivet.net;

/**
 * An element of the three lists: a socket, or an application's own object that has one.
 *
 * <p>The result lists contain the caller's own objects, so a class that holds a socket needs no map from socket to object.
 */
@FunctionalInterface
public interface Selectable {
    /**
     * Returns the socket to watch. It is called once per list, at the beginning of each call.
     *
     * @return the socket; never null
     */
    Socket socket();
}
