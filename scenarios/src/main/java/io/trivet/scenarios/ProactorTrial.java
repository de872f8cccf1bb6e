package io.trivet.scenarios;

import io.trivet.net.Network;
import io.trivet.net.Proactor;
import io.trivet.net.ReadinessProactor;
import java.io.IOException;
import java.util.List;

/**
 * A proactor alone, on a network whose outcomes are drawn: every operation in every order, within callbacks and outside of them, with
 * handles that are stale or used again, and with calls that fail. It must make the same calls of the poller and the sockets as a
 * {@link ReferenceProactor}, and deliver the same completions.
 */
final class ProactorTrial implements Trial {
    private static final int SHOWN_LINES = 6;

    private interface Opening {
        Proactor open(Network network) throws IOException;
    }

    @Override
    public void run(TrialRun run) throws IOException {
        long seed = run.random.logUniform(1, Long.MAX_VALUE);
        List<String> actual = perform(run, seed, ReadinessProactor::new);
        List<String> expected = perform(run, seed, ReferenceProactor::new);
        for (int i = 0; i < Math.max(actual.size(), expected.size()) && !run.hasFailed(); i++) {
            String was = i < actual.size() ? actual.get(i) : "nothing";
            String right = i < expected.size() ? expected.get(i) : "nothing";
            if (!was.equals(right)) {
                expected.subList(Math.max(0, i - SHOWN_LINES), Math.min(i, expected.size())).forEach(run::log);
                run.fail(Rule.COMPLETIONS, "\"" + was + "\" instead of \"" + right + "\" after \""
                        + (i == 0 ? "" : expected.get(i - 1)) + "\"");
            }
        }
    }

    private static List<String> perform(TrialRun run, long seed, Opening opening) throws IOException {
        ScriptedNetwork network = new ScriptedNetwork(new SeededRandom(seed));
        Proactor proactor = opening.open(network);
        try {
            new ProactorSteps(run, network, proactor).perform();
        } catch (RuntimeException e) {
            network.log.add("exception " + e);
        }
        return network.log;
    }
}
