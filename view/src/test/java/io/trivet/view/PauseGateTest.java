package io.trivet.view;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PauseGateTest {
    private final PauseGate gate = new PauseGate(1, () -> false);

    @Test
    void pauseThatIsRequestedWhileTheViewEndsHoldsNoLoop() {
        gate.pause();
        gate.close();
        gate.pause(); // a request that was on its way
        gate.pass(0); // would stand still
        assertThat(gate.isPaused()).isFalse();
    }
}
