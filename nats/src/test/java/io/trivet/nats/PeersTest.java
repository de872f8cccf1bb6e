package io.trivet.nats;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.nats.Frame.Sender;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What arrives of one other server, live or from the history of the bus. Times are in milliseconds. */
final class PeersTest {
    private static final String NEWS = "tnews";
    private static final long OWN = 1;
    private static final long OTHER = 2;
    private static final long PATIENCE = 1000;

    private final List<String> calls = new ArrayList<>();
    private final Peers peers = new Peers(OWN,
            RelayOptions.of("nats://127.0.0.1").withHistory(
                    new History("H", Duration.ofMinutes(1), 1 << 20, Duration.ofMillis(PATIENCE))),
            new Peers.Owner() {
                @Override
                public void deliver(Frame.Message message) {
                    calls.add("message " + message.number());
                }

                @Override
                public void gap(String stream, long from, long missed) {
                    calls.add("gap " + missed);
                }

                @Override
                public void presence(long from, List<Frame.Change> changes) {
                    calls.add("presence");
                }

                @Override
                public void server(long id, RelayListener.ServerChange change) {
                    calls.add(id + " " + change);
                }

                @Override
                public void requestSnapshot(long from) {
                    calls.add("request");
                }

                @Override
                public void heartbeatSoon() {
                    calls.add("heartbeat");
                }

                @Override
                public void snapshotSoon() {
                    calls.add("snapshot");
                }

                @Override
                public boolean fetch(String stream, Duration back) {
                    calls.add("fetch " + back.toMillis());
                    return true;
                }
            });

    private static long at(long millis) {
        return Duration.ofMillis(millis).toNanos();
    }

    private static Frame.Message message(long number, long uptimeMillis) {
        return new Frame.Message(new Sender(OTHER, at(uptimeMillis)), NEWS, number, "", ByteBuffer.allocate(10));
    }

    private static Frame.Heartbeat heartbeat(long last, long uptimeMillis, boolean isBye) {
        return new Frame.Heartbeat(new Sender(OTHER, at(uptimeMillis)), false, isBye, 0, "", true,
                new TreeMap<>(Map.of(NEWS, last)));
    }

    private void live(long number, long nowMillis) {
        peers.receive(message(number, nowMillis), at(nowMillis));
    }

    private void expect(String... expected) {
        assertThat(calls).containsExactly(expected);
        calls.clear();
    }

    @BeforeEach
    void subscribe() {
        peers.up(at(0));
        peers.subscribed(NEWS, at(0));
    }

    @Test
    void whatTheHistoryHasIsOfNoUseWithoutAGap() {
        peers.receiveKept(message(1, 100));
        expect();
        live(7, 5000);
        expect("2 APPEARED", "message 7"); // it has been running for as long as this server has listened, so the first six may be older
    }

    /** It may have passed the bus before the subscription did, and a message between the two: that is too early, but not silent. */
    @Test
    void theFirstHeartbeatAfterTheSubscriptionIsWhereCountingBegins() {
        peers.receive(heartbeat(4, 5000, false), at(100));
        expect("2 APPEARED");
        peers.receive(heartbeat(7, 5200, false), at(300));
        expect("fetch 10200");
        peers.receiveKept(message(5, 5001));
        expect("message 5");
        peers.expire(at(300 + PATIENCE));
        expect("gap 2");
    }

    @Test
    void aServerThatHasStartedLaterIsReadFromItsStart() {
        peers.receive(message(3, 1), at(60_000));
        expect("2 APPEARED", "fetch 10001");
        peers.receiveKept(message(1, 0));
        peers.receiveKept(message(2, 0));
        expect("message 1", "message 2", "message 3");
    }

    @Test
    void whatHasWaitedIsDeliveredInOrderWhenTheGapIsFilled() {
        peers.receive(message(1, 1), at(1000));
        peers.receive(message(4, 2), at(1100));
        expect("2 APPEARED", "message 1", "fetch 10100");
        peers.receiveKept(message(1, 1));
        peers.receiveKept(message(2, 1));
        peers.receive(message(5, 3), at(1200));
        expect("message 2");
        peers.receiveKept(message(3, 1));
        expect("message 3", "message 4", "message 5");
        peers.receiveKept(message(4, 1));
        peers.fetched(NEWS, at(1300));
        expect();
        assertThat(peers.duplicates()).as("what the history repeats").isZero();
    }

    @Test
    void whatTheHistoryDoesNotHaveIsAGapAtItsPlace() {
        peers.receive(message(1, 1), at(1000));
        peers.receive(message(5, 2), at(1100));
        peers.receiveKept(message(3, 1));
        calls.clear();
        peers.fetched(NEWS, at(1200));
        expect("gap 1", "message 3", "gap 1", "message 5");
    }

    @Test
    void theHistoryIsNotWaitedForForeverAlsoIfTheBusGoesAway() {
        peers.receive(message(1, 1), at(1000));
        peers.receive(message(3, 2), at(1100));
        peers.away();
        calls.clear();
        peers.expire(at(1100 + PATIENCE - 1));
        expect();
        peers.expire(at(1100 + PATIENCE));
        expect("gap 1", "message 3");
    }

    @Test
    void atTheEndNothingThatHasWaitedIsLostInSilence() {
        peers.receive(message(1, 1), at(1000));
        peers.receive(message(3, 2), at(1100));
        calls.clear();
        peers.end();
        expect("gap 1", "message 3");
    }

    @Test
    void aGapThatTheLastHeartbeatShowsIsFilledToo() {
        peers.receive(message(1, 1), at(1000));
        calls.clear();
        peers.receive(heartbeat(2, 3, true), at(1100));
        expect("fetch 10100", "2 LEFT");
        peers.receiveKept(message(2, 2));
        expect("message 2");
    }

    @Test
    void nothingIsDeliveredToATopicThatWasLeft() {
        peers.receive(message(1, 1), at(1000));
        peers.receive(message(3, 2), at(1100));
        calls.clear();
        peers.unsubscribed(NEWS);
        peers.subscribed(NEWS, at(1200));
        peers.receiveKept(message(2, 1));
        peers.fetched(NEWS, at(1300));
        peers.expire(at(60_000));
        expect("2 LOST");
    }

    @Test
    void afterAStopOfThisProcessOthersAreNotLostBeforeWhatTheyHaveSentIsRead() {
        peers.receive(message(1, 1), at(1000));
        peers.expire(at(1500));
        calls.clear();
        peers.expire(at(7500)); // stopped for five seconds; a message waits
        expect();
        peers.receive(message(2, 2), at(7501));
        peers.expire(at(8500));
        expect("message 2");
        peers.expire(at(9500));
        peers.expire(at(10_500));
        calls.clear();
        peers.expire(at(11_500)); // silent for four seconds
        expect("2 LOST");
    }
}
