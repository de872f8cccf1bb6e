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

/** Drains a server with several loops while connections are handed over from the accepting loop to another one. */
@Timeout(60)
final class DrainAcrossLoopsTest {
    private static final Duration DRAIN = Duration.ofSeconds(20);
    /** Long enough for a loop that stops too early to end. */
    private static final Duration OTHER_LOOP_WAIT = Duration.ofMillis(300);

    @Test
    void connectionInTheBacklogIsNotResetByALoopWithoutConnections() throws Exception {
        CountDownLatch blocked = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        try (Server server = Server.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .loops(2)
                .limits(Limits.defaults().withHandlerTimeout(Duration.ZERO))
                .onMessage((connection, message) -> block(blocked, release))
                .start()) {
            List<Thread> others = server.loops().stream().skip(1).map(loop -> loop.mailbox().owner()).toList();
            try (Socket first = connect(server)) {
                first.getOutputStream().write('1');
                assertThat(blocked.await(20, TimeUnit.SECONDS)).as("the accepting loop is blocked").isTrue();
                try (Socket waiting = connect(server)) {
                    waiting.getOutputStream().write('2');
                    server.drain(DRAIN);
                    for (Thread other : others) {
                        if (other != null) {
                            other.join(OTHER_LOOP_WAIT);
                        }
                    }
                    release.countDown();

                    assertThat(waiting.getInputStream().read()).as("an orderly end; a reset would throw").isEqualTo(-1);
                }
            } finally {
                release.countDown();
            }
            server.join();
        }
    }

    private static void block(CountDownLatch blocked, CountDownLatch release) {
        blocked.countDown();
        try {
            release.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Socket connect(Server server) throws Exception {
        Socket socket = new Socket();
        socket.connect(server.address());
        socket.setSoTimeout((int) Stage.PATIENCE.toMillis());
        return socket;
    }
}
