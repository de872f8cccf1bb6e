package io.trivet.scenarios;

import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.sim.SimEngine;
import java.util.List;

/**
 * One server.
 *
 * @param number its number in the world
 * @param engine as which engine its host answers
 * @param loops how many loops it has
 * @param frames where its messages end
 * @param overflow what it does about slow peers
 * @param limits its bounds
 * @param urgent whether it watches for urgent data
 * @param backlog how many may wait to be accepted
 * @param descriptorLimit how many descriptors its host may have; 0: as many as usual
 * @param greetings the messages it sends to who comes
 * @param pureEcho it sends back every piece as it comes, and nothing else; only with raw framing
 * @param farewell what it does when a client has ended its output
 * @param habits what it does besides, of its own accord
 */
record ServerPlan(int number, SimEngine engine, int loops, Frames frames, Overflow overflow, Limits limits, boolean urgent,
        int backlog,
        int descriptorLimit, int greetings, boolean pureEcho, Farewell farewell, List<Habit> habits) {
    ServerPlan withLimits(Limits others) {
        return new ServerPlan(number, engine, loops, frames, overflow, others, urgent, backlog, descriptorLimit, greetings,
                pureEcho,
                farewell, habits);
    }

    ServerPlan withHabits(List<Habit> others) {
        return new ServerPlan(number, engine, loops, frames, overflow, limits, urgent, backlog, descriptorLimit, greetings,
                pureEcho, farewell, others);
    }
}
