package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Connects by name: the lookup, the order and times of the attempts, and their outcomes. */
final class ConnectAttemptsTest {
    private static final InetSocketAddress NAME = InetSocketAddress.createUnresolved("db.test", 5432);
    private static final Duration TEN_SECONDS = Duration.ofSeconds(10);

    private final LoopParts parts = new LoopParts();
    private final ConnectAttempts attempts = parts.connectAttempts;
    private final TestRecord connection = new TestRecord(false);

    private void start(Duration timeout) {
        connection.cachedAddress(NAME);
        parts.table.expect();
        attempts.start(connection, NAME, timeout);
    }

    private void startWith(Duration timeout, String... literals) {
        parts.names.put("db.test", literals);
        start(timeout);
        answer();
    }

    private void answer() {
        parts.names.answer();
        parts.runTasks();
    }

    private void pass(long millis) {
        parts.time.step(Duration.ofMillis(millis));
        parts.clock.forget();
        attempts.runDue(parts.clock.now());
    }

    private List<String> tried() {
        List<String> tried = parts.proactor.connects.stream().map(Addresses::toString).toList();
        parts.proactor.connects.clear();
        return tried;
    }

    private static NetworkException refused(String address) {
        return new NetworkException("connect", address, ErrorCode.ECONNREFUSED);
    }

    private void assertEnded() {
        parts.lifecycle.completeCloses();
        assertThat(attempts.next()).isEqualTo(Loop.NO_DEADLINE);
        List<ConnectionRecord> left = new ArrayList<>();
        parts.table.forEach(left::add);
        assertThat(left).isEmpty();
        assertThat(parts.table.load()).isZero();
    }

    @Test
    void familiesTakeTurnsAndTheNextAddressIsTriedAfterTheDelay() {
        startWith(TEN_SECONDS, "10.0.0.1", "10.0.0.2", "10.0.0.1", "fd00::1");
        assertThat(tried()).containsExactly("10.0.0.1:5432");
        pass(249);
        assertThat(tried()).isEmpty();
        pass(1);
        assertThat(tried()).containsExactly("[fd00::1]:5432");
        pass(250);
        assertThat(tried()).containsExactly("10.0.0.2:5432");
        pass(9_000);
        assertThat(tried()).as("each address once").isEmpty();
        assertThat(connection.state()).isEqualTo(ConnectionState.CONNECTING);
    }

    @Test
    void firstThatConnectsIsUsedAndTheOthersAreClosed() {
        startWith(TEN_SECONDS, "10.0.0.1", "10.0.0.2", "10.0.0.3");
        pass(250);
        pass(250);
        parts.proactor.newCalls();
        attempts.connected(1);
        assertThat(connection.calls).containsExactly("open");
        assertThat(connection.handle).isEqualTo(1);
        assertThat(parts.table.get(1)).isSameAs(connection);
        assertThat(Addresses.toString(connection.cachedAddress())).isEqualTo("10.0.0.2:5432");
        assertThat(parts.proactor.newCalls()).containsExactly("close 0", "close 2", "receive 1");
        attempts.connected(2);
        attempts.failed(0, refused("10.0.0.1:5432"));
        pass(20_000);
        assertThat(connection.calls).as("late outcomes of the others are ignored").containsExactly("open");
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        parts.lifecycle.completeCloses();
        parts.lifecycle.released(1);
        assertEnded();
    }

    @Test
    void failureStartsTheNextAttemptAtOnceAndTheLastOneNamesEveryAddress() {
        startWith(TEN_SECONDS, "10.0.0.1", "10.0.0.2", "10.0.0.3");
        parts.proactor.failNext("connect", ErrorCode.EMFILE);
        attempts.failed(0, refused("10.0.0.1:5432"));
        assertThat(tried()).as("the second cannot even start").containsExactly("10.0.0.1:5432", "10.0.0.2:5432", "10.0.0.3:5432");
        attempts.failed(1, new NetworkException("connect", "10.0.0.3:5432", ErrorCode.EHOSTUNREACH));
        assertThat(connection.closeReason()).isEqualTo(CloseReason.CONNECT_FAILED);
        assertThat(connection.failure()).isInstanceOfSatisfying(NetworkException.class,
                e -> assertThat(e.code()).isEqualTo(ErrorCode.ECONNREFUSED))
                .hasMessage("connect db.test:5432: ECONNREFUSED, no address has accepted the connection: 10.0.0.1:5432: "
                        + "ECONNREFUSED, refused: nothing listens at that address; 10.0.0.2:5432: connect: EMFILE, the process has "
                        + "no descriptor left: raise its limit (ulimit -n); 10.0.0.3:5432: EHOSTUNREACH, no route to that host");
        assertEnded();
        assertThat(connection.calls).containsExactly("close CONNECT_FAILED");
    }

    @Test
    void onlyAddressFailsWithItsOwnMessage() {
        startWith(TEN_SECONDS, "10.0.0.1");
        attempts.failed(0, refused("10.0.0.1:5432"));
        assertThat(connection.failure())
                .hasMessage("connect 10.0.0.1:5432: ECONNREFUSED, refused: nothing listens at that address");
        assertEnded();
    }

    @Test
    void onlyAddressThatDoesNotAnswerIsNamedAlone() {
        startWith(TEN_SECONDS, "10.0.0.1");
        pass(10_000);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.CONNECT_TIMEOUT);
        assertThat(connection.failure()).hasMessage("connect 10.0.0.1:5432: ETIMEDOUT, no answer in time");
        assertEnded();
    }

    @Test
    void shortTimeoutIsShared() {
        startWith(Duration.ofMillis(400), "10.0.0.1", "10.0.0.2", "10.0.0.3");
        pass(100);
        pass(100);
        assertThat(tried()).containsExactly("10.0.0.1:5432", "10.0.0.2:5432", "10.0.0.3:5432");
        attempts.failed(1, refused("10.0.0.2:5432"));
        pass(199);
        assertThat(connection.isClosed()).isFalse();
        pass(1);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.CONNECT_TIMEOUT);
        assertThat(connection.failure()).isInstanceOfSatisfying(NetworkException.class,
                e -> assertThat(e.code()).isEqualTo(ErrorCode.ETIMEDOUT))
                .hasMessageContainingAll("10.0.0.1:5432: no answer in time; ", "10.0.0.3:5432: no answer in time",
                        "10.0.0.2:5432: ECONNREFUSED");
        assertEnded();
        assertThat(parts.proactor.newCalls()).contains("close 0", "close 1", "close 2");
    }

    @Test
    void lookupCountsAgainstTheTimeout() {
        parts.names.put("db.test", "10.0.0.1");
        start(TEN_SECONDS);
        pass(10_000);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.CONNECT_TIMEOUT);
        assertThat(connection.failure())
                .hasMessage("connect db.test:5432: ETIMEDOUT, its name could not be looked up in time");
        assertEnded();
        answer();
        assertThat(tried()).as("a late answer").isEmpty();
    }

    @Test
    void unknownNameFailsWithTheResolversReason() {
        start(TEN_SECONDS);
        answer();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.CONNECT_FAILED);
        assertThat(connection.failure()).isInstanceOf(UnknownHostException.class)
                .hasMessage("unknown host 'db.test': Name or service not known");
        assertEnded();
    }

    @Test
    void withoutATimeoutTheAttemptsGoOn() {
        startWith(Duration.ZERO, "10.0.0.1", "10.0.0.2");
        pass(250);
        assertThat(tried()).hasSize(2);
        assertThat(attempts.next()).isEqualTo(Loop.NO_DEADLINE);
    }

    @Test
    void closeEndsTheLookupOrTheAttempts() {
        parts.names.put("db.test", "10.0.0.1", "10.0.0.2");
        start(TEN_SECONDS);
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        pass(10_000);
        assertThat(connection.closeReason()).as("not the timeout").isEqualTo(CloseReason.CLOSED);
        assertEnded();
        answer();
        assertThat(tried()).isEmpty();
    }

    @Test
    void attemptThatSucceedsInTheTurnOfTheCloseIsClosed() {
        startWith(TEN_SECONDS, "10.0.0.1", "10.0.0.2");
        pass(250);
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        attempts.connected(0);
        attempts.failed(1, refused("10.0.0.2:5432"));
        assertEnded();
        assertThat(connection.calls).containsExactly("close CLOSED");
        assertThat(parts.proactor.newCalls()).contains("close 0", "close 1");
    }

    /** The peer may have accepted the attempt, although the loop does not know it yet. */
    @ParameterizedTest
    @EnumSource(value = CloseReason.class, names = {"CONNECT_TIMEOUT", "CLOSED"})
    void attemptsOfAConnectWithMessagesAreResetAtTheEnd(CloseReason reason) {
        startWith(TEN_SECONDS, "10.0.0.1", "10.0.0.2");
        parts.enqueue(connection, "hello");
        pass(250);
        if (reason == CloseReason.CONNECT_TIMEOUT) {
            pass(10_000);
        } else {
            parts.closeRequests.close(connection, reason);
        }
        assertEnded();
        assertThat(connection.calls).containsExactly("close " + reason);
        assertThat(parts.proactor.newCalls()).contains("reset 0", "reset 1");
    }

    @Test
    void attemptThatSucceedsInTheTurnOfTheCloseIsResetIfMessagesWait() {
        startWith(TEN_SECONDS, "10.0.0.1");
        parts.enqueue(connection, "hello");
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        attempts.connected(0);
        assertEnded();
        assertThat(parts.proactor.newCalls()).contains("reset 0");
    }

    /** As if a poller could not watch a connection that the peer has accepted. */
    @Test
    void lastAttemptThatFailsIsResetIfMessagesWait() {
        startWith(TEN_SECONDS, "10.0.0.1", "10.0.0.2");
        parts.enqueue(connection, "hello");
        attempts.failed(0, new NetworkException("epoll_ctl", "10.0.0.1:5432", ErrorCode.ENOSPC));
        assertThat(parts.proactor.newCalls()).as("the next may deliver them").contains("close 0");
        attempts.failed(1, new NetworkException("epoll_ctl", "10.0.0.2:5432", ErrorCode.ENOSPC));
        assertEnded();
        assertThat(parts.proactor.newCalls()).contains("reset 1");
    }

    @Test
    void drainEndsAConnectThatHasNothingToSend() {
        startWith(TEN_SECONDS, "10.0.0.1");
        parts.lifecycle.drain(Loop.NO_DEADLINE);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.DRAINED);
        assertEnded();
        assertThat(parts.proactor.newCalls()).contains("close 0");
    }

    @Test
    void attemptsAtTheSameTimeAreBoundedAndSoIsTheMessage() {
        startWith(TEN_SECONDS, IntStream.range(0, 100).mapToObj(i -> "10.0.1." + i).toArray(String[]::new));
        for (int i = 0; i < 30; i++) {
            pass(250);
        }
        long open = parts.proactor.calls.stream().filter(call -> call.startsWith("connect")).count()
                - parts.proactor.calls.stream().filter(call -> call.startsWith("close")).count();
        assertThat(open).isEqualTo(ConnectAttempts.AT_ONCE_MAX);
        pass(10_000);
        assertThat(connection.failure()).message().endsWith("; and 84 more addresses");
        assertEnded();
    }
}
