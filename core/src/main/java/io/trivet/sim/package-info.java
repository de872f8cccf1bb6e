/**
 * Networks for tests. They replace {@link io.trivet.net.Network#system()} and do on purpose what a real network rarely does, so
 * that a test covers it.
 *
 * <p>In the order in which you are likely to need them:
 *
 * <ol>
 * <li>{@link io.trivet.sim.TortureNetwork} wraps a network with real sockets and injects faults into its calls: short reads and
 * writes, calls that would block, late and spurious events. Run your existing tests on it.
 * <li>{@link io.trivet.sim.SimNetwork} has no real sockets. One seed decides everything that happens on it, time included, so
 * that a failing run can be repeated. Your server runs on it unchanged, with as many clients as you like, and hours pass in
 * seconds.
 * <li>{@link io.trivet.sim.SimClient} is a scripted client on the simulated network, and {@link io.trivet.sim.ClientOracle} judges
 * what it has seen: the messages, its {@link io.trivet.sim.ClientEnd}, and whether faults explain it.
 * <li>{@link io.trivet.sim.FaultPlan} determines which {@link io.trivet.sim.Fault}s either network injects, and how often.
 * <li>{@link io.trivet.sim.SimHost} is another process on the simulated network, for clients with their own address and
 * descriptor table. {@link io.trivet.sim.SimEngine} is the engine that a host simulates.
 * <li>{@link io.trivet.sim.SimClock} is the simulated time, and {@link io.trivet.sim.SimTrace} receives the events of the network
 * as readable lines.
 * </ol>
 */
@NullMarked
package io.trivet.sim;

import org.jspecify.annotations.NullMarked;
