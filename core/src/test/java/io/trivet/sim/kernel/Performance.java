package io.trivet.sim.kernel;

import java.util.List;

/**
 * What came out of a script on one network.
 *
 * @param answers one a step
 * @param unsettled how many steps did not come to rest in time
 * @param inTime so many steps were over before a connect that found a backlog full may have been tried again
 */
record Performance(List<Answer> answers, int unsettled, int inTime) {}
