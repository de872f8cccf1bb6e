package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.nats.BusState;
import io.trivet.nats.RelayListener.ServerChange;
import io.trivet.nats.RelayOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The lines of {@code trivet serve} about its relay. */
final class RelayLogTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration EXPIRY = RelayOptions.of().expiry();

    private record Task(long atNanos, Runnable task) {}

    private final List<String> lines = new ArrayList<>();
    private final List<Task> tasks = new ArrayList<>();
    private long nowNanos;
    private final RelayLog log = new RelayLog(RelayOptions.of("nats://me:secret@a:4222", "tls://token@b"),
            (delay, task) -> tasks.add(new Task(nowNanos + delay.toNanos(), task)), () -> nowNanos, lines::add);

    private void pass(Duration time) {
        nowNanos += time.toNanos();
        List<Task> due = tasks.stream().filter(task -> task.atNanos <= nowNanos).toList();
        tasks.removeAll(due);
        due.forEach(each -> each.task.run());
    }

    private List<String> lines() {
        List<String> printed = List.copyOf(lines);
        lines.clear();
        return printed;
    }

    @Test
    void theLinkIsReportedWithItsUrlsAndTheOutageWithItsLength() {
        log.onBus(BusState.CONNECTING, "");
        log.onBus(BusState.UP, "");
        assertThat(lines()).containsExactly("connected to NATS at nats://a:4222, tls://b");
        log.onBus(BusState.AWAY, "end of input");
        assertThat(lines()).containsExactly("NATS cannot be reached at nats://a:4222, tls://b, trying again; meanwhile, "
                + "messages reach only this server's clients: end of input");
        pass(SECOND);
        log.onBus(BusState.AWAY, "refused");
        assertThat(lines()).as("another reason, too soon").isEmpty();
        pass(RelayLog.INTERVAL);
        log.onBus(BusState.AWAY, "end of input");
        assertThat(lines()).as("the same reason").isEmpty();
        log.onBus(BusState.AWAY, "refused");
        assertThat(lines()).containsExactly("NATS has not been reached for 11 s: refused");
        pass(SECOND);
        log.onBus(BusState.UP, "");
        assertThat(lines()).containsExactly("connected to NATS at nats://a:4222, tls://b, again after 12 s");
    }

    @Test
    void theFirstConnectMayTakeSomeTime() {
        log.onBus(BusState.AWAY, "refused");
        lines();
        pass(SECOND);
        log.onBus(BusState.UP, "");
        assertThat(lines()).containsExactly("connected to NATS at nats://a:4222, tls://b, after 1 s");
    }

    @Test
    void aHostThatIsUnknownIsReportedAsThat() {
        RelayOptions options = RelayOptions.of("nats://me:secret@a.invalid:4222", "tls://b.invalid");
        assertThat(RelayLog.reason(options, "a.invalid")).isEqualTo("unknown host a.invalid");
        assertThat(RelayLog.reason(options, "b.invalid")).isEqualTo("unknown host b.invalid");
        assertThat(RelayLog.reason(options, "refused")).isEqualTo("refused");
        assertThat(RelayLog.reason(options, "")).isEmpty();
    }

    @Test
    void serversAreNotReportedAsLostBecauseThisOneWasCutOff() {
        log.onBus(BusState.UP, "");
        log.onServer("running", ServerChange.APPEARED);
        log.onServer("killed", ServerChange.APPEARED);
        log.onBus(BusState.AWAY, "end of input");
        lines();
        pass(EXPIRY);
        log.onServer("running", ServerChange.LOST);
        log.onBus(BusState.UP, "");
        log.onServer("killed", ServerChange.LOST);
        assertThat(lines()).singleElement().asString().startsWith("connected");
        pass(SECOND);
        log.onServer("running", ServerChange.APPEARED);
        assertThat(lines()).as("it was not reported as lost").isEmpty();
        pass(EXPIRY);
        assertThat(lines()).containsExactly(
                "no heartbeat from server killed for 3500ms or longer; if it was killed, its unsent messages are lost");
        log.onServer("running", ServerChange.LOST);
        assertThat(lines()).containsExactly(
                "no heartbeat from server running for 3500ms or longer; if it was killed, its unsent messages are lost");
        log.onServer("running", ServerChange.APPEARED);
        log.onServer("running", ServerChange.LEFT);
        assertThat(lines()).containsExactly("server running has appeared", "server running has left");
    }

    @Test
    void theLastReportOfLossesHasAll() {
        log.onDropped(1, 100);
        assertThat(lines()).containsExactly("lost so far: 0 from other servers, 1 from this server");
        log.onDropped(1, 100);
        log.onGap("topic", "server", 3);
        assertThat(lines()).isEmpty();
        pass(RelayLog.INTERVAL);
        assertThat(lines()).containsExactly("lost so far: 3 from other servers, 2 from this server");
        pass(RelayLog.INTERVAL);
        assertThat(lines()).isEmpty();
        log.onDropped(1, 100);
        assertThat(lines()).containsExactly("lost so far: 3 from other servers, 3 from this server");
        log.onDropped(2, 200);
        log.onBus(BusState.CLOSED, "");
        assertThat(lines()).containsExactly("lost so far: 3 from other servers, 5 from this server");
    }
}
