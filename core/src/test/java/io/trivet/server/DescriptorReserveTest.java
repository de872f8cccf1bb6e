package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The descriptors that are kept for bad times. */
final class DescriptorReserveTest {
    private final Network system = Network.named("nio");
    private final List<Pipe> pipes = new ArrayList<>();
    private boolean exhausted;
    private final Network network = Interceptor.of(Network.class, system, "pipe", arguments -> {
        if (exhausted) {
            throw new NetworkException("pipe2", null, ErrorCode.EMFILE);
        }
        pipes.add(system.pipe());
        return pipes.getLast();
    });
    private final DescriptorReserve reserve = new DescriptorReserve(network, new Log(new SteppedClock()));

    private static boolean isOpen(Pipe pipe) {
        return pipe.source().isOpen() || pipe.sink().isOpen();
    }

    @Test
    void reserveHoldsOnePipeUntilItIsClosedAndCanBeOpenedAgain() throws IOException {
        reserve.close(); // there is nothing to close yet
        reserve.open();
        reserve.open();
        assertThat(pipes).hasSize(1).allMatch(DescriptorReserveTest::isOpen);
        reserve.close();
        assertThat(pipes).noneMatch(DescriptorReserveTest::isOpen);
        reserve.open();
        assertThat(pipes).hasSize(2);
        assertThat(isOpen(pipes.getLast())).isTrue();
        reserve.close();
        assertThat(pipes).noneMatch(DescriptorReserveTest::isOpen);
    }

    @Test
    void reserveStaysClosedWhenNoDescriptorIsLeft() throws IOException {
        exhausted = true;
        assertThatThrownBy(reserve::open).isInstanceOf(NetworkException.class).hasMessageContaining("EMFILE");
        exhausted = false;
        reserve.open();
        assertThat(pipes).hasSize(1);
        reserve.close();
    }
}
