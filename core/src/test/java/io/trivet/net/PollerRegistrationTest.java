package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.Pair;
import java.io.IOException;

/** Registering, changing and removing. */
final class PollerRegistrationTest {
    @EveryEngine
    @Case("11")
    void registrationTellsSocketInterestAndToken(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();

        poller.register(pair.client(), Interest.READ | Interest.WRITE, 42);

        assertThat(poller.registration(pair.client()))
                .isEqualTo(new Registration(pair.client(), Interest.READ | Interest.WRITE, 42));
        assertThat(poller.registration(pair.server())).isNull();
    }

    @EveryEngine
    @Case("13")
    void secondRegistrationIsRefused(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.client(), Interest.WRITE, 1);

        assertThatThrownBy(() -> poller.register(pair.client(), Interest.READ, 2)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("registered already");

        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(1, Interest.WRITE));
    }
}
