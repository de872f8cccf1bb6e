package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.sim.Torture.Fault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Plans, and what follows from a plan and a seed. */
final class TortureTest {
    @Test
    void theDefaultHasSomeOfEverything() {
        for (Fault fault : Fault.values()) {
            assertThat(Torture.defaults().probability(fault)).as(fault.name()).isBetween(0.001, 0.9);
            assertThat(Torture.none().probability(fault)).as(fault.name()).isZero();
        }
    }

    @Test
    void oneFaultIsChangedInACopy() {
        Torture before = Torture.defaults();
        Torture after = before.with(Fault.SHORT_READ, 1);
        assertThat(after.probability(Fault.SHORT_READ)).isEqualTo(1);
        assertThat(after.probability(Fault.SHORT_WRITE)).isEqualTo(before.probability(Fault.SHORT_WRITE));
        assertThat(before).isEqualTo(Torture.defaults());
    }

    @Test
    void aPlanDoesNotChangeWithTheMapItWasMadeOf() {
        Map<Fault, Double> map = new EnumMap<>(Map.of(Fault.SHORT_READ, 0.5));
        Torture plan = new Torture(map);
        map.put(Fault.SHORT_READ, 0.0);
        assertThat(plan.probability(Fault.SHORT_READ)).isEqualTo(0.5);
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1.1, Double.NaN})
    void whatIsNoProbabilityIsRefused(double probability) {
        assertThatIllegalArgumentException().isThrownBy(() -> Torture.none().with(Fault.SHORT_READ, probability))
                .withMessageContaining("SHORT_READ");
    }

    @Test
    void theSameSeedMakesTheSameDecisions() throws IOException {
        List<Integer> once = trace(TortureNetwork.of(Network.system(), 42));
        assertThat(trace(TortureNetwork.of(Network.system(), 42))).isEqualTo(once);
        assertThat(trace(TortureNetwork.of(Network.system(), 43))).isNotEqualTo(once);
    }

    @Test
    void aPlanOfNothingDoesNothing() throws IOException {
        TortureNetwork network = TortureNetwork.of(Network.system(), 42, Torture.none());
        assertThat(trace(network)).containsOnly(8192);
        assertThat(network.counts()).hasSize(Fault.values().length).allSatisfy((fault, count) -> assertThat(count).isZero());
    }

    @Test
    void theNetworkTellsItsSeedAndWhatItDid() throws IOException {
        TortureNetwork network = TortureNetwork.of(Network.system(), 42, Torture.none().with(Fault.SHORT_READ, 1));
        trace(network);
        assertThat(network.seed()).isEqualTo(42);
        assertThat(network.count(Fault.SHORT_READ)).isEqualTo(200);
        assertThat(network.counts()).containsEntry(Fault.SHORT_READ, 200L).containsEntry(Fault.SHORT_WRITE, 0L);
        assertThat(network).asString().contains("seed 42", "SHORT_READ=200");
    }

    /** What 200 writes and reads of 8 KiB give. */
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

    /** By a descriptor of the network below there is no fault to be drawn. */
    private static void drain(Pipe pipe) throws IOException {
        ByteBuffer rest = ByteBuffer.allocateDirect(8192);
        while (((TorturedSocket<?>) pipe.source()).inner instanceof Pipe.Source inner && inner.read(rest.clear()) > 0) {
            assertThat(rest.position()).isPositive();
        }
    }
}
