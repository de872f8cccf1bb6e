package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Interest;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.TcpListener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Fault plans, and that every fault occurs. */
final class SimFaultsTest {
    @Test
    void aPlanIsAValue() {
        FaultPlan plan = FaultPlan.all();
        assertThat(plan.faults()).isEqualTo(EnumSet.allOf(Fault.class));
        assertThat(plan.without(Fault.RESET).faults()).doesNotContain(Fault.RESET).hasSize(Fault.values().length - 1);
        assertThat(plan.only(Fault.RESET).faults()).containsExactly(Fault.RESET);
        assertThat(plan.only(Fault.RESET).probability(Fault.RESET)).isEqualTo(Fault.RESET.usualProbability());
        assertThat(plan.without(Fault.values())).isEqualTo(FaultPlan.none()).hasSameHashCodeAs(FaultPlan.none());
        assertThat(FaultPlan.none().with(Fault.STALL, 0.25)).hasToString("STALL 0.25").isNotEqualTo(FaultPlan.none());
        assertThat(FaultPlan.none()).hasToString("no faults");
        assertThat(FaultPlan.of(7)).isEqualTo(FaultPlan.of(7));
    }

    @Test
    void aProbabilityOutsideZeroToOneIsRejected() {
        for (double wrong : new double[]{-0.1, 1.1, Double.NaN}) {
            assertThatThrownBy(() -> FaultPlan.none().with(Fault.RESET, wrong)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("RESET");
        }
    }

    @Test
    void seedsEnableEachFaultInAQuarterOfThePlans() {
        Map<Fault, Integer> enabled = new EnumMap<>(Fault.class);
        for (long seed = 0; seed < 10_000; seed++) {
            FaultPlan.of(seed).faults().forEach(fault -> enabled.merge(fault, 1, Integer::sum));
        }
        assertThat(enabled.keySet()).isEqualTo(EnumSet.allOf(Fault.class));
        assertThat(enabled.values()).allSatisfy(count -> assertThat(count).isBetween(2_200, 2_800));
    }

    @Test
    void everyFaultOccursOnSomeEngine() throws Exception {
        Map<Fault, Long> counts = new EnumMap<>(Fault.class);
        for (SimEngine engine : SimEngine.values()) {
            for (long seed = 0; seed < 20; seed++) {
                SimNetwork network = SimNetwork.of(seed, FaultPlan.all().with(Fault.CONNECT_IGNORED, 0.1), engine);
                new EchoScenario(network).run();
                network.faultCounts().forEach((fault, count) -> counts.merge(fault, count, Long::sum));
            }
        }
        for (Fault fault : Fault.values()) {
            assertThat(counts.get(fault)).as("%s", fault).isPositive();
        }
    }

    @Test
    void onlyTheFaultsOfThePlanOccur() throws Exception {
        FaultPlan plan = FaultPlan.all().only(Fault.SHORT_READ, Fault.DRIBBLE);
        SimNetwork network = SimNetwork.of(1, plan, SimEngine.EPOLL);
        new EchoScenario(network).run();
        network.faultCounts().forEach((fault, count) -> {
            if (plan.faults().contains(fault)) {
                assertThat(count).as("%s", fault).isPositive();
            } else {
                assertThat(count).as("%s", fault).isZero();
            }
        });
    }

    @ParameterizedTest
    @EnumSource(SimEngine.class)
    void fewerEventsAreReportedOnlyWhereSeveralAreReady(SimEngine engine) throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none().with(Fault.READY_FEWER, 1), engine);
        InetSocketAddress freePort = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
        List<TcpListener> listeners = new ArrayList<>();
        Poller poller = network.poller();
        for (int i = 0; i < 4; i++) {
            TcpListener listener = network.listen(freePort, 8);
            listeners.add(listener);
            poller.register(listener, Interest.READ, i);
        }
        ReadyEvents events = new ReadyEvents(8);
        assertThat(poller.poll(events, 0)).as("nothing is ready").isZero();
        network.connect(listeners.get(2).localAddress());
        network.run(Duration.ofMillis(1));
        assertThat(poller.poll(events, 0)).as("one is ready").isEqualTo(1);
        assertThat(network.faultCounts()).containsEntry(Fault.READY_FEWER, 0L);

        network.connect(listeners.get(0).localAddress());
        network.run(Duration.ofMillis(1));
        assertThat(poller.poll(events, 0)).as("two are ready").isEqualTo(1);
        assertThat(network.faultCounts()).containsEntry(Fault.READY_FEWER, 1L);
        listeners.get(0).accept();
        assertThat(poller.poll(events, 0)).as("one is left").isEqualTo(1);
        assertThat(network.faultCounts()).containsEntry(Fault.READY_FEWER, 1L);
    }
}
