package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.ErrorCode;
import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The loops of one server. */
final class LoopGroupTest {
    private final SteppedClock time = new SteppedClock();
    private final List<RecordingProactor> proactors = new ArrayList<>();
    private final LoopGroup loops = new LoopGroup(new Log(time));

    LoopGroupTest() {
        LoopParts.RecordingSource source = new LoopParts.RecordingSource();
        for (int i = 0; i < 3; i++) {
            RecordingProactor proactor = new RecordingProactor();
            proactors.add(proactor);
            loops.add(EventLoopTest.loop(i, proactor, time, source, new Budget(100), new ArrayList<>()));
        }
    }

    @Test
    void loopWithTheFewestConnectionsIsChosenAndOfSeveralTheFirst() {
        assertThat(loops.leastLoaded()).isSameAs(loops.first());
        loops.first().table().expect();
        assertThat(loops.leastLoaded()).isSameAs(loops.all().get(1));
        loops.all().get(1).table().expect();
        assertThat(loops.leastLoaded()).isSameAs(loops.all().get(2));
        loops.all().get(2).table().expect();
        assertThat(loops.leastLoaded()).isSameAs(loops.first());
    }

    @Test
    void loopThatCannotContinueEndsAllOfThem() throws IOException {
        try (LogLines log = new LogLines()) {
            EventLoop second = loops.all().get(1);
            proactors.get(1).failNext("poll", ErrorCode.EBADF);
            assertThatThrownBy(() -> loops.turn(second, 0)).isInstanceOf(NetworkException.class);
            assertThat(log.lines("EBADF")).hasSize(1);
            assertThat(loops.isClosed()).isTrue();
            assertThat(second.hasEnded()).isTrue();
            assertThat(loops.haveEnded()).as("the others end on their own threads").isFalse();
            assertThat(loops.all()).allMatch(loop -> loop.mailbox().isStopped());
            assertThat(proactors).allMatch(proactor -> proactor.wakeups() >= 1);
            for (EventLoop loop : loops.all()) {
                loops.turn(loop, -1);
            }
            assertThat(loops.haveEnded()).isTrue();
            assertThat(proactors.getFirst().newCalls()).containsExactly("close the proactor");
        }
    }

    @Test
    void networkThatTurnsAllLoopsSkipsTheOneThatIsTurningAlready() throws IOException {
        EventLoop first = loops.first();
        Loop attached = loops.attachable(first);
        List<Integer> done = new ArrayList<>();
        first.mailbox().execute(() -> {
            assertThat(loops.isTurnedByThisThread()).isTrue();
            try {
                done.add(attached.turn());
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(attached.nextDeadline()).isEqualTo(time.nanoTime());
        assertThat(attached.turn()).isEqualTo(1);
        assertThat(done).containsExactly(0);
        assertThat(loops.isTurnedByThisThread()).isFalse();
        assertThat(loops.isOwnedByThisThread()).isTrue();
        assertThat(attached.nextDeadline()).isEqualTo(Loop.NO_DEADLINE);
        assertThat(proactors.getFirst().newCalls()).as("without waiting").containsExactly("poll 0");
    }
}
