package io.trivet.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What is told of things that have happened, and how often. */
final class CoverageTest {
    @Test
    void whatIsRareIsNamedAgainstTheNumberOfSeeds() {
        Tally tally = Tally.empty();
        for (String name : Coverage.untried(tally)) {
            tally.add(name, 20);
        }
        tally.add("race GONE_LATER", -1);
        tally.add("from outside SHUT", 3);
        int rows = tally.counts().size();
        assertThat(Coverage.rare(tally, 9_999)).isEmpty();
        assertThat(Coverage.rare(tally, 10_000))
                .contains("1 of " + rows + " rows are below 100 per 100,000 seeds: from outside SHUT 3");
        assertThat(Coverage.rare(tally, 20_000)).contains(
                "2 of " + rows + " rows are below 100 per 100,000 seeds: race GONE_LATER 19, from outside SHUT 3");
        assertThat(Coverage.rare(tally, 3_000)).isEmpty();
        tally.add("from outside SHUT", 100);
        assertThat(Coverage.rare(tally, 10_000)).contains("0 of " + rows + " rows are below 100 per 100,000 seeds");
        assertThat(Coverage.rare(Tally.empty(), 10_000).orElseThrow()).startsWith("%1$d of %1$d rows ".formatted(rows - 1))
                .contains("fault SHORT_READ 0");
    }
}
