package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.ConnectionState;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The connections of a loop, by slot and generation. */
final class ConnectionTableTest {
    private final ConnectionTable table = new ConnectionTable();

    private TestRecord put(int slot, int generation) {
        TestRecord connection = new TestRecord(true);
        connection.handle = (long) generation << 32 | slot;
        table.put(connection);
        return connection;
    }

    @Test
    void staleHandleMatchesNothing() {
        TestRecord first = put(3, 0);
        TestRecord second = put(3, 1);
        assertThat(table.get(first.handle)).isNull();
        assertThat(table.remove(first.handle)).isNull();
        assertThat(table.get(second.handle)).as("not removed by the stale handle").isSameAs(second);
        assertThat(table.remove(second.handle)).isSameAs(second);
        assertThat(table.get(second.handle)).isNull();
        assertThat(table.at(3)).isNull();
    }

    @Test
    void closedConnectionIsFoundOnlyToBeRemoved() {
        TestRecord connection = put(0, 0);
        connection.state(ConnectionState.CLOSED);
        assertThat(table.get(connection.handle)).isNull();
        assertThat(table.at(0)).isNull();
        assertThat(table.remove(connection.handle)).isSameAs(connection);
    }

    @Test
    void iterationFollowsTheSlotsAndTheTableGrows() {
        TestRecord high = put(100_000, 0);
        TestRecord low = put(1, 0);
        TestRecord closed = put(63, 0);
        closed.state(ConnectionState.CLOSED);
        List<ConnectionRecord> all = new ArrayList<>();
        List<ConnectionRecord> open = new ArrayList<>();
        table.forEach(all::add);
        table.forEachOpen(open::add);
        assertThat(all).containsExactly(low, closed, high);
        assertThat(open).containsExactly(low, high);
        assertThat(table.get(low.handle)).isSameAs(low);
    }

    @Test
    void tableGrowsForTheFirstSlotThatItDoesNotHave() {
        int slot = table.slots();
        TestRecord connection = put(slot, 0);
        assertThat(table.get(connection.handle)).isSameAs(connection);
        assertThat(table.slots()).isGreaterThan(slot);
    }

    @Test
    void loadCountsConnectionsThatAreOnTheirWay() {
        table.expect();
        table.expect();
        put(0, 0);
        assertThat(table.load()).isEqualTo(2);
        table.uncount();
        assertThat(table.load()).isEqualTo(1);
    }
}
