package io.trivet.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Of two clients that are reset, one has left an urgent byte unread, and the other nothing: only of the other the judge complains. */
final class RestJudgeTest {
    private static final long MILLI = 1_000_000;
    private static final Step ASKS_TO_FINISH = new Step(MILLI, new Deed.Say(List.of(new Ask(Verb.FINISH, 8, 1, 16, 0))));
    private static final Step SENDS_URGENT = new Step(MILLI, new Deed.Urgent());

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "URING") // a multishot receive reads over it
    void aResetIsExplainedByAnUrgentByteThatWasLeftUnread(SimEngine engine) {
        World world = world(engine, ASKS_TO_FINISH, SENDS_URGENT);
        assertThat(Play.of(world).finding()).isNull();
        assertThat(Play.of(world, Planted.RESET_AT_CLOSE).finding()).isNull();
        assertThat(Play.of(world).tally().count("client's end CUT")).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(SimEngine.class)
    void aResetIsNotExplainedByAnUrgentByteBehindWhichSomethingWasRead(SimEngine engine) {
        World world = world(engine, SENDS_URGENT, ASKS_TO_FINISH);
        assertThat(Play.of(world).finding()).isNull();
        assertThat(Play.of(world).tally().count("client's end FINISHED")).isEqualTo(1);
        Finding finding = Objects.requireNonNull(Play.of(world, Planted.RESET_AT_CLOSE).finding());
        assertThat(finding.rule()).isEqualTo(Rule.ENDS);
        assertThat(finding.text()).contains("was cut off").contains("everything that it wrote was read");
    }

    /** A client that reads nothing until everything heals, and a server that waits a moment for it to read to the end. */
    private static World world(SimEngine engine, Step... steps) {
        Limits limits = Limits.defaults().withLingerTimeout(Duration.ofMillis(50));
        ServerPlan server = new ServerPlan(0, engine, 1, Frames.LINES, Overflow.PAUSE_READING, limits, false, 16, 0, 0, false,
                Farewell.FINISH, List.of());
        PeerPlan peer = new PeerPlan(0, Manner.NEVER_READS, 0, 0, false, true, MILLI, Pace.BRISK, false, 0, Arrays.asList(steps));
        return new World(1, List.of(server), List.of(peer), List.of(), FaultPlan.none(), 1000 * MILLI);
    }
}
