package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Cidr;
import java.io.IOException;
import java.net.InetAddress;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which addresses may connect. */
final class AccessListTest {
    private static final Handler ECHO = (connection, message) -> connection.send(message);

    @ParameterizedTest
    @CsvSource({"10.0.0.1, true, true, false, false", "10.66.0.1, true, true, false, false",
        "192.0.2.1, true, false, true, false", "::1, true, false, true, false"})
    void denyWinsAndAnAllowedRangeExcludesTheRest(String address, boolean all, boolean allow, boolean deny, boolean both) {
        InetAddress client = InetAddress.ofLiteral(address);
        Cidr ten = Cidr.of("10.0.0.0/8");
        assertThat(AccessList.all().allows(client)).isEqualTo(all);
        assertThat(AccessList.all().allow(ten).allows(client)).isEqualTo(allow);
        assertThat(AccessList.all().deny(ten).allows(client)).isEqualTo(deny);
        assertThat(AccessList.all().deny(ten).allow(ten).allows(client)).isEqualTo(both);
        assertThat(AccessList.all().allow(Cidr.of("::/0")).allow(Cidr.of("0.0.0.0/0")).deny().allows(client)).isTrue();
    }

    @EveryNetwork
    void deniedClientIsResetBeforeAnyHandlerAndCountedAndLoggedOnce(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            Story story = stage.story(ECHO);
            Server server = stage.open(stage.server(story).access(AccessList.all().deny(Cidr.of("127.0.0.0/8")))
                    .limits(Limits.defaults().withConnectionsPerAddressMax(1)));
            for (int i = 1; i <= 3; i++) {
                Client client = stage.pendingClient(server);
                assertThat(client.endsInOrder()).as("ends in order instead of a reset").isFalse();
                int refused = i;
                stage.until("counted", () -> server.stats().total().refused() == refused);
            }
            assertThat(story.size()).as("handlers that were called").isZero();
            assertThat(server.stats().total().accepted()).isEqualTo(3);
            assertThat(log.lines("FINE refused 127.0.0.1")).as("one line a second").hasSize(1);
            assertThat(log.lines("refused").getFirst()).endsWith(": the access list refuses that address");
        }
    }

    @EveryNetwork
    void clientInAnAllowedRangeIsServed(Stage stage) throws IOException {
        Server server = stage.open(stage.server(stage.story(ECHO)).access(AccessList.all().allow(Cidr.of("127.0.0.1"))));
        Client client = stage.client(server);
        client.send("hello");
        assertThat(client.receiveText(5)).isEqualTo("hello");
        assertThat(server.stats().total().refused()).isZero();
    }

    @EveryNetwork
    void clientOutsideOfTheAllowedRangesIsReset(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).access(AccessList.all().allow(Cidr.of("192.0.2.0/24"))));
        assertThat(stage.pendingClient(server).endsInOrder()).isFalse();
        assertThat(story.size()).isZero();
    }
}
