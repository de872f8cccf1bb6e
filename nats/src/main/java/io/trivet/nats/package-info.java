/**
 * Servers on several machines that share messages and presence over NATS, and say what was lost. {@link io.trivet.nats.Relay}
 * relays messages between servers; {@link io.trivet.server.Connection#relayTo} relays the bytes of one connection to another of
 * the same server, and has nothing to do with it.
 */
package io.trivet.nats;
