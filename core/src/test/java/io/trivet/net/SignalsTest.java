package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Tools;
import io.trivet.select.Select;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Signals during a wait. */
final class SignalsTest {
    /** The JVM has a handler for it that does nothing, so it interrupts a wait without harm. */
    private static final String SIGPIPE = "13";
    private static final Duration WAIT = Duration.ofMillis(300);
    private static final Path THREAD = Path.of("/proc/thread-self");

    private interface Wait {
        void run() throws IOException;
    }

    @EveryEngine
    @Case("52")
    @NotSimulated(NotSimulated.MACHINE)
    void pollWaitsItsFullTimeDespiteSignals(Lab lab) throws Exception {
        Poller poller = lab.poller();
        poller.register(lab.udp(), Interest.READ, 1);
        assertSleepsUnderSignals(lab, () -> assertThat(poller.poll(new ReadyEvents(1), WAIT.toNanos())).isZero());
    }

    @EveryEngine
    @Case("52")
    @NotSimulated(NotSimulated.MACHINE)
    void selectWaitsItsFullTimeDespiteSignals(Lab lab) throws Exception {
        List<UdpSocket> idle = List.of(lab.udp());
        assertSleepsUnderSignals(lab,
                () -> assertThat(Select.on(lab.network()).select(idle, List.of(), List.of(), WAIT).isEmpty()).isTrue());
    }

    private static void assertSleepsUnderSignals(Lab lab, Wait wait) throws Exception {
        assumeTrue(Files.exists(THREAD), "this system has no /proc/thread-self");
        String[] path = Files.readSymbolicLink(THREAD).toString().split("/", -1); // process/task/thread
        Tools.Peer signals = lab.keep(Tools.c("signals.c", path[0], path[2], SIGPIPE));
        assertThat(signals.line()).isEqualTo("under way");
        long switchesBefore = switches();
        long start = System.nanoTime();
        wait.run();
        long lasted = System.nanoTime() - start;
        long switches = switches() - switchesBefore;
        signals.writeLine("enough");

        assertThat(lasted).isBetween(WAIT.toNanos(), WAIT.plus(Lab.PATIENCE).toNanos());
        assertThat(switches).as("signals interrupted the wait: number of times the thread slept").isGreaterThan(10);
        assertThat(signals.finish()).hasSize(1);
    }

    /** Returns how often this thread has gone to sleep. */
    private static long switches() throws IOException {
        for (String line : Files.readAllLines(THREAD.resolve("status"))) {
            if (line.startsWith("voluntary_ctxt_switches:")) {
                return Long.parseLong(line.substring(line.indexOf(':') + 1).strip());
            }
        }
        throw new IllegalStateException("no count of switches");
    }
}
