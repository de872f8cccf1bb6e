package io.trivet.app;

import io.trivet.net.Capability;
import io.trivet.net.Network;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/**
 * The server of {@code trivet serve}. With one loop it is turned here, round after round, so that {@code -v} can tell of each; with several,
 * each has a thread of its own.
 *
 * <p>Threads: {@link #run} belongs to one; {@link #drain} is for another.
 */
final class ReplyServer implements AutoCloseable {
    private final ServerSettings settings;
    private final Journal journal;
    private final ReplyHandler handler;
    private final Server server;
    private final CountDownLatch ended = new CountDownLatch(1);

    private ReplyServer(Network network, InetSocketAddress address, ServerSettings settings, Journal journal) throws IOException {
        this.settings = settings;
        this.journal = journal;
        handler = new ReplyHandler(settings, journal);
        Server.Builder builder = Server.builder()
                .network(network)
                .listen(address)
                .backlog(settings.backlog())
                .framing(settings.framing().framing())
                .limits(settings.limits())
                .overflow(settings.overflow().policy())
                .urgent(settings.urgent() && network.supports(Capability.URGENT_DATA))
                .loops(settings.loops())
                .handler(handler);
        server = settings.loops() == 1 ? builder.open() : builder.start();
    }

    /** Binds and listens; clients wait in the backlog until {@link #run}. */
    static ReplyServer listen(Network network, InetSocketAddress address, ServerSettings settings, Journal journal)
            throws IOException {
        return new ReplyServer(network, address, settings, journal);
    }

    InetSocketAddress address() {
        return server.address();
    }

    /** Serves until it has drained; fails when a loop cannot go on. */
    void run() throws IOException, InterruptedException {
        try {
            if (settings.loops() > 1) {
                server.join();
                Throwable failure = server.failure();
                if (failure != null) {
                    throw new IOException(failure.getMessage(), failure);
                }
                return;
            }
            while (!server.isClosed()) {
                int done = server.turn(settings.timeout());
                if (journal.isVerbose()) {
                    journal.round(done, server.stats().total().connections());
                }
            }
        } finally {
            ended.countDown();
        }
    }

    /**
     * Takes no new client and no new message, sends what waits, and ends.
     *
     * @return how many clients did not take what waited for them in that time
     */
    int drain(Duration limit) throws InterruptedException {
        server.drain(limit);
        ended.await();
        return handler.cutOff();
    }

    @Override
    public void close() {
        server.close();
    }
}
