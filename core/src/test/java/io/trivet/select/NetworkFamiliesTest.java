package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Lab;
import io.trivet.net.EngineStatus;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which networks' sockets may be in one call, and which network's call is used. */
class NetworkFamiliesTest {
    @Test
    void socketsOfTwoFamiliesAreRejectedAndBothAreNamed() throws Exception {
        Network nio = named("nio");
        Network epoll = named("epoll");
        try (UdpSocket linux = epoll.udp(Lab.FREE_PORT); UdpSocket foreign = nio.udp(Lab.FREE_PORT)) {
            assertThatThrownBy(() -> Select.select(List.of(linux, foreign), List.of(), List.of(), null))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("epoll").hasMessageContaining("nio");
            assertThatThrownBy(() -> Select.select(List.of(foreign), List.of(linux), List.of(), null))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("epoll").hasMessageContaining("nio");
            assertThatThrownBy(() -> Select.select(List.of(linux, linux), List.of(linux), List.of(linux, foreign), null))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("epoll").hasMessageContaining("nio");
        }
    }

    @Test
    void socketsOfAnotherFamilyThanTheChosenNetworkAreRejected() throws Exception {
        Network nio = named("nio");
        Network poll = named("poll");
        try (UdpSocket linux = poll.udp(Lab.FREE_PORT); UdpSocket foreign = nio.udp(Lab.FREE_PORT)) {
            assertThatThrownBy(() -> Select.on(poll).select(List.of(foreign), List.of(), List.of(), null))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("poll").hasMessageContaining("nio");
            assertThatThrownBy(() -> Select.on(nio).select(List.of(), List.of(linux), List.of(), null))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("poll").hasMessageContaining("nio");
        }
    }

    @Test
    void linuxNetworksAreOneFamily() throws Exception {
        try (UdpSocket one = named("epoll").udp(Lab.FREE_PORT);
                UdpSocket two = named("poll").udp(Lab.FREE_PORT);
                UdpSocket three = named("select").udp(Lab.FREE_PORT)) {
            List<UdpSocket> all = List.of(one, two, three);
            assertThat(Select.select(List.of(), all, List.of(), Lab.PATIENCE).writable()).isEqualTo(all);
            for (String network : List.of("epoll", "poll", "select")) {
                assertThat(Select.on(named(network)).select(all, all, all, Lab.PATIENCE).writable()).isEqualTo(all);
            }
        }
    }

    /** java.nio cannot check for urgent data, so an empty third list would be a wrong result. */
    @Test
    void nioRejectsANonEmptyThirdList() throws Exception {
        Network nio = named("nio");
        try (UdpSocket ready = nio.udp(Lab.FREE_PORT)) {
            List<UdpSocket> one = List.of(ready);
            assertThatThrownBy(() -> Select.on(nio).select(List.of(), List.of(), one, Duration.ZERO))
                    .isInstanceOf(UnsupportedOperationException.class).hasMessageContaining("epoll");
            assertThatThrownBy(() -> Select.on(nio).select(one, one, one, Duration.ZERO))
                    .as("even if the other lists could be checked").isInstanceOf(UnsupportedOperationException.class);
            assertThat(Select.on(nio).select(one, one, List.of(), Duration.ZERO).writable()).isEqualTo(one);
            assertThat(Select.select(one, one, List.of(), Duration.ZERO).writable()).isEqualTo(one);
        }
    }

    @Test
    void nioRejectsTheFdSetForm() {
        Network nio = named("nio");
        FdSet set = new FdSet();
        set.set(0);
        assertThatThrownBy(() -> Select.on(nio).select(1, set, null, null, Duration.ZERO))
                .isInstanceOf(UnsupportedOperationException.class).hasMessageContaining("epoll");
        assertThat(set.isSet(0)).as("unchanged").isTrue();
    }

    @Test
    void staticFormUsesTheNetworkOfTheSockets() throws Exception {
        for (EngineStatus engine : Network.engines()) {
            if (engine.available()) {
                assertStaticFormWorks(Network.named(engine.name()));
            }
        }
        assertThat(Select.select(List.of(), List.of(), List.of(), Duration.ofMillis(1)).isEmpty())
                .as("without sockets it uses the system network")
                .isTrue();
    }

    private static void assertStaticFormWorks(Network network) throws IOException {
        try (Pipe pipe = network.pipe();
                TcpListener listener = network.listen(Lab.FREE_PORT, 1);
                TcpStream client = network.connect(listener.localAddress())) {
            assertThat(Select.select(List.of(listener, pipe.source()), List.of(), List.of(), Lab.PATIENCE).readable())
                    .as(network.name()).containsExactly(listener);
            assertThat(Select.select(List.of(), List.of(client, pipe.sink()), List.of(), Lab.PATIENCE).writable())
                    .as(network.name()).contains(pipe.sink());
            pipe.sink().write(Lab.bytes("!"));
            assertThat(Select.select(List.of(pipe.source(), listener), List.of(), List.of(), Lab.PATIENCE).readable())
                    .as(network.name()).containsExactly(pipe.source(), listener);
        }
    }

    private static Network named(String name) {
        for (EngineStatus engine : Network.engines()) {
            if (engine.name().equals(name)) {
                assumeTrue(engine.available(), engine.remark());
            }
        }
        return Network.named(name);
    }
}
