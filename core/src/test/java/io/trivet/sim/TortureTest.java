package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.trivet.net.Network;
import io.trivet.net.Pipe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The plans of a tortured network, and what a seed determines. */
final class TortureTest {
    @Test
    void theDefaultPlanHasSomeOfEveryFault() {
        for (Fault fault : TortureNetwork.faults()) {
            assertThat(TortureNetwork.defaults().probability(fault)).as(fault.name()).isBetween(0.001, 0.9);
        }
        assertThat(TortureNetwork.faults()).hasSize(11);
    }

    @Test
    void aFaultThatOnlyTheSimulatedNetworkHasIsRejected() {
        Network inner = Network.system();
        FaultPlan plan = FaultPlan.none().with(Fault.CLOG, 0.1).with(Fault.SHORT_READ, 0.1);
        assertThatIllegalArgumentException().isThrownBy(() -> TortureNetwork.of(inner, 1, plan))
                .withMessageContaining("cannot inject [CLOG]").withMessageContaining("READY_LATE");
    }

    @Test
    void theSameSeedMakesTheSameDecisions() throws IOException {
        List<Integer> once = trace(TortureNetwork.of(Network.system(), 42));
        assertThat(trace(TortureNetwork.of(Network.system(), 42))).isEqualTo(once);
        assertThat(trace(TortureNetwork.of(Network.system(), 43))).isNotEqualTo(once);
    }

    @Test
    void theEmptyPlanChangesNothing() throws IOException {
        TortureNetwork network = TortureNetwork.of(Network.system(), 42, FaultPlan.none());
        assertThat(trace(network)).containsOnly(8192);
        assertThat(network.faultCounts()).hasSize(TortureNetwork.faults().size())
                .allSatisfy((fault, count) -> assertThat(count).isZero());
    }

    @Test
    void theNetworkReportsItsSeedAndItsFaults() throws IOException {
        TortureNetwork network = TortureNetwork.of(Network.system(), 42, FaultPlan.none().with(Fault.SHORT_READ, 1));
        trace(network);
        assertThat(network.seed()).isEqualTo(42);
        assertThat(network.faultCount(Fault.SHORT_READ)).isEqualTo(200);
        assertThat(network.faultCounts()).containsEntry(Fault.SHORT_READ, 200L).containsEntry(Fault.SHORT_WRITE, 0L);
        assertThat(network).asString().contains("seed 42", "SHORT_READ=200");
    }

    /** Returns the results of 200 writes and reads of 8 KiB. */
    private static List<Integer> trace(Network network) throws IOException {
        List<Integer> moved = new ArrayList<>();
        try (Pipe pipe = network.pipe()) {
            for (int i = 0; i < 200; i++) {
                moved.add(pipe.sink().write(ByteBuffer.allocateDirect(8192)));
                moved.add(pipe.source().read(ByteBuffer.allocateDirect(8192)));
                drain(pipe);
            }
        }
        return moved;
    }

    /** Empties a pipe through the network below, which injects no fault. */
    private static void drain(Pipe pipe) throws IOException {
        ByteBuffer rest = ByteBuffer.allocateDirect(8192);
        while (((TorturedSocket<?>) pipe.source()).inner instanceof Pipe.Source inner && inner.read(rest.clear()) > 0) {
            assertThat(rest.position()).isPositive();
        }
    }
}
