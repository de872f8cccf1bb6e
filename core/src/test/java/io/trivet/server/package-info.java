/**
 * The tests of the server. A test that carries {@link io.trivet.server.EveryNetwork} runs once on each of {@link
 * io.trivet.server.ServerNetworks}, which is the one place that says where.
 */
package io.trivet.server;
