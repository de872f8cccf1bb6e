package io.trivet.sim.kernel;

import java.util.List;

/**
 * The result of running a script on one network.
 *
 * @param outcomes the outcome of each step
 * @param unsettled the number of steps that did not settle in time
 * @param stepsBeforeSynRetry the number of steps that completed before the SYN of a connect that met a full backlog may have been retransmitted
 */
record ScriptResult(List<Outcome> outcomes, int unsettled, int stepsBeforeSynRetry) {}
