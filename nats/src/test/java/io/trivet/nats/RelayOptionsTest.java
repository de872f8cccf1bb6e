package io.trivet.nats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class RelayOptionsTest {
    @Test
    void aWrongUrlIsNamedWithoutItsPassword() {
        for (String url : List.of("http://me:secret@host:4222", "nats://me:secret@ho st")) {
            assertThatThrownBy(() -> RelayOptions.of("nats://host", url)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("a server must be nats://HOST:PORT or tls://HOST:PORT, not ")
                    .hasMessageContaining("//ho").hasMessageNotContaining("secret");
        }
        List<String> forms = List.of("nats://me:secret@host:4222", "tls://token@host", "host:4222", "nats://a,nats://b",
                "ws://host");
        assertThat(RelayOptions.of(forms.toArray(String[]::new)).servers()).isEqualTo(forms);
    }

    @Test
    void aQueueThatIsTooSmallIsNamedWithWhatItNeeds() {
        assertThatThrownBy(() -> RelayOptions.of().withQueue(1000, 5, Duration.ZERO, BusOverflow.DROP_OLDEST))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("queueBytesMax must be at least messageBytesMax and 512 more, which is 524800, not 1000");
        assertThatThrownBy(() -> RelayOptions.of().withLimits(1000, 500, 1)).hasMessage(
                "inboundBytesMax must be at least messageBytesMax and 512 more, which is 1012, not 1000");
    }
}
