/**
 * The tests of the server. A test with {@link io.trivet.server.EveryNetwork} runs once on each network of {@link
 * io.trivet.server.ServerNetworks}.
 */
package io.trivet.server;
