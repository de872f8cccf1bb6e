package io.trivet.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

/**
 * Runs the clients with TLS of many scenarios, without the others. A long run: {@code -Dtrivet.tls.seeds=20000}. A failure prints the seed
 * for {@code -Dtrivet.tls.first}.
 */
final class SecuredSeedsTest {
    private static final int SEEDS = Integer.getInteger("trivet.tls.seeds", 30);

    @Test
    void clientsWithTlsAreServedOrEndAsTheyShould() {
        long seed = Long.getLong("trivet.tls.first", ThreadLocalRandom.current().nextLong(1L << 40));
        long clients = 0;
        for (int runs = 0; runs < SEEDS; seed++) {
            Scenario scenario = Scenario.of(seed);
            List<ExternalAction> secured = scenario.actions().stream()
                    .filter(action -> action instanceof ExternalAction.ConnectSecured
                            || action instanceof ExternalAction.DrainSecured)
                    .toList();
            if (!secured.isEmpty()) {
                runs++;
                clients += secured.size();
                Outcome outcome = Run.of(new Scenario(seed, scenario.servers(), List.of(), secured, scenario.faults(),
                        scenario.recoveryNanos()));
                assertThat(outcome.failure()).as("replay with: -Dtrivet.tls.first=%d", seed).isNull();
            }
        }
        assertThat(clients).isGreaterThan(SEEDS);
    }
}
