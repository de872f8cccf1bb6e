package io.trivet.net;

/**
 * What a {@link Poller} knows of one socket, as it was at the moment of asking.
 *
 * @param socket the socket
 * @param interest the bits of {@link Interest} that are watched
 * @param token the number that its events carry
 */
public record Registration(Socket socket, int interest, long token) {}
