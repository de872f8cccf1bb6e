package io.trivet.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Tests the report of rare events. */
final class CoverageTest {
    @Test
    void rareEventsAreReportedInRelationToTheNumberOfSeeds() {
        Tally tally = Tally.empty();
        for (String name : Coverage.uncovered(tally)) {
            tally.add(name, 20);
        }
        tally.add("race CLOSED_LATE", -1);
        tally.add("external SHUTDOWN", 3);
        int rows = tally.counts().size();
        assertThat(Coverage.rare(tally, 9_999)).isEmpty();
        assertThat(Coverage.rare(tally, 10_000))
                .contains("1 of " + rows + " rows are below 100 per 100,000 seeds: external SHUTDOWN 3");
        assertThat(Coverage.rare(tally, 20_000)).contains(
                "2 of " + rows + " rows are below 100 per 100,000 seeds: race CLOSED_LATE 19, external SHUTDOWN 3");
        assertThat(Coverage.rare(tally, 3_000)).isEmpty();
        tally.add("external SHUTDOWN", 100);
        assertThat(Coverage.rare(tally, 10_000)).contains("0 of " + rows + " rows are below 100 per 100,000 seeds");
        assertThat(Coverage.rare(Tally.empty(), 10_000).orElseThrow()).startsWith("%1$d of %1$d rows ".formatted(rows - 1))
                .contains("fault SHORT_READ 0");
    }
}
