package io.trivet.net;

/**
 * Provider interface (SPI): what a {@link Poller} watches on one socket, at the moment of the query. Immutable.
 *
 * @param socket the socket
 * @param interest the watched bits of {@link Interest}
 * @param token the number that the socket's events carry
 */
public record Registration(Socket socket, int interest, long token) {}
