package io.trivet.contract;

import io.trivet.net.TcpStream;

/**
 * Both ends of a TCP connection.
 *
 * @param client the end that connected
 * @param server the end that was accepted
 */
public record Pair(TcpStream client, TcpStream server) {}
