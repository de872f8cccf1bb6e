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

/** What a plan of faults is, and that all of them happen. */
final class SimFaultsTest {
    @Test
    void aPlanIsAValue() {
        FaultPlan plan = FaultPlan.all();
        assertThat(plan.kinds()).isEqualTo(EnumSet.allOf(SimFault.class));
        assertThat(plan.without(SimFault.RESET).kinds()).doesNotContain(SimFault.RESET).hasSize(SimFault.values().length - 1);
        assertThat(plan.only(SimFault.RESET).kinds()).containsExactly(SimFault.RESET);
        assertThat(plan.only(SimFault.RESET).probability(SimFault.RESET)).isEqualTo(SimFault.RESET.usualProbability());
        assertThat(plan.without(SimFault.values())).isEqualTo(FaultPlan.none()).hasSameHashCodeAs(FaultPlan.none());
        assertThat(FaultPlan.none().with(SimFault.STALL, 0.25)).hasToString("STALL 0.25").isNotEqualTo(FaultPlan.none());
        assertThat(FaultPlan.none()).hasToString("no faults");
        assertThat(FaultPlan.of(7)).isEqualTo(FaultPlan.of(7));
    }

    @Test
    void aProbabilityLiesBetweenNeverAndAlways() {
        for (double wrong : new double[]{-0.1, 1.1, Double.NaN}) {
            assertThatThrownBy(() -> FaultPlan.none().with(SimFault.RESET, wrong)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("RESET");
        }
    }

    @Test
    void seedsSwitchEachKindOnInAQuarterOfThePlans() {
        Map<SimFault, Integer> switchedOn = new EnumMap<>(SimFault.class);
        for (long seed = 0; seed < 10_000; seed++) {
            FaultPlan.of(seed).kinds().forEach(kind -> switchedOn.merge(kind, 1, Integer::sum));
        }
        assertThat(switchedOn.keySet()).isEqualTo(EnumSet.allOf(SimFault.class));
        assertThat(switchedOn.values()).allSatisfy(count -> assertThat(count).isBetween(2_200, 2_800));
    }

    @Test
    void everyKindHappensWhereItCan() throws Exception {
        Map<SimFault, Long> fired = new EnumMap<>(SimFault.class);
        for (SimEngine engine : SimEngine.values()) {
            for (long seed = 0; seed < 20; seed++) {
                SimNetwork network = SimNetwork.of(seed, FaultPlan.all().with(SimFault.CONNECT_IGNORED, 0.1), engine);
                new EchoStory(network).play();
                network.faultsFired().forEach((kind, count) -> fired.merge(kind, count, Long::sum));
            }
        }
        for (SimFault kind : SimFault.values()) {
            assertThat(fired.get(kind)).as("%s", kind).isPositive();
        }
    }

    @Test
    void aPlanWithoutAKindNeverHasIt() throws Exception {
        FaultPlan plan = FaultPlan.all().only(SimFault.SHORT_READ, SimFault.DRIBBLE);
        SimNetwork network = SimNetwork.of(1, plan, SimEngine.EPOLL);
        new EchoStory(network).play();
        network.faultsFired().forEach((kind, count) -> {
            if (plan.kinds().contains(kind)) {
                assertThat(count).as("%s", kind).isPositive();
            } else {
                assertThat(count).as("%s", kind).isZero();
            }
        });
    }

    @ParameterizedTest
    @EnumSource(SimEngine.class)
    void fewerAreReportedOnlyWhereSeveralAreReady(SimEngine engine) throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none().with(SimFault.READY_FEWER, 1), engine);
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
        assertThat(network.faultsFired()).containsEntry(SimFault.READY_FEWER, 0L);

        network.connect(listeners.get(0).localAddress());
        network.run(Duration.ofMillis(1));
        assertThat(poller.poll(events, 0)).as("two are ready").isEqualTo(1);
        assertThat(network.faultsFired()).containsEntry(SimFault.READY_FEWER, 1L);
        listeners.get(0).accept();
        assertThat(poller.poll(events, 0)).as("one is left, and the other is looked at").isEqualTo(1);
        assertThat(network.faultsFired()).containsEntry(SimFault.READY_FEWER, 1L);
    }
}
