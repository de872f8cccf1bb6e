package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How far the time that a handshake waits behind others extends its deadline. */
final class HandshakesTest {
    @ParameterizedTest
    @CsvSource({"PT0S, PT10S, PT0S", "PT39S, PT10S, PT39S", "PT40S, PT10S, PT40S", "PT41S, PT10S, PT40S",
        "PT41S, P36500D, PT41S", "P36500D, P36500D, P36500D"})
    void theWaitCountsUpToFourTimesTheTimeoutHoweverLongThatIs(Duration waited, Duration timeout, Duration expected) {
        assertThat(Handshakes.limited(Limits.nanos(waited), Limits.nanos(timeout))).isEqualTo(Limits.nanos(expected));
    }
}
