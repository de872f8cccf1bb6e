package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A server with several loops drains while clients are on their way from the accepting loop to another. */
@Timeout(60)
final class DrainAcrossLoopsTest {
    private static final Duration DRAIN = Duration.ofSeconds(20);
    /** Long enough for a loop that would stop too early. */
    private static final Duration OTHER_LOOP = Duration.ofMillis(300);

    @Test
    void whoWaitsToBeAcceptedIsNotResetByALoopThatHadNobody() throws Exception {
        CountDownLatch holds = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        try (Server server = Server.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .loops(2)
                .limits(Limits.defaults().withHandlerTimeout(Duration.ZERO))
                .onMessage((connection, message) -> hold(holds, goOn))
                .start()) {
            List<Thread> others = server.loops().stream().skip(1).map(loop -> loop.mailbox().owner()).toList();
            try (Socket first = connect(server)) {
                first.getOutputStream().write('1');
                assertThat(holds.await(20, TimeUnit.SECONDS)).as("the accepting loop is held").isTrue();
                try (Socket waiting = connect(server)) {
                    waiting.getOutputStream().write('2');
                    server.drain(DRAIN);
                    for (Thread other : others) {
                        if (other != null) {
                            other.join(OTHER_LOOP);
                        }
                    }
                    goOn.countDown();

                    assertThat(waiting.getInputStream().read()).as("the orderly end: a reset would throw").isEqualTo(-1);
                }
            } finally {
                goOn.countDown();
            }
            server.join();
        }
    }

    private static void hold(CountDownLatch holds, CountDownLatch goOn) {
        holds.countDown();
        try {
            goOn.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Socket connect(Server server) throws Exception {
        Socket socket = new Socket();
        socket.connect(server.address());
        socket.setSoTimeout(20_000);
        return socket;
    }
}
