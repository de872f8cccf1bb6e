package io.trivet.app;

import io.trivet.net.Capability;
import io.trivet.net.Network;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/**
 * The server of {@code trivet serve}. A single loop is turned by {@link #run}, so that {@code -v} can log each turn; several
 * loops run on threads of their own.
 *
 * <p>Threads: one thread calls {@link #run}; another one may call {@link #drain}.
 */
final class ReplyServer implements AutoCloseable {
    private final ServerSettings settings;
    private final VerboseLog log;
    private final ReplyHandler handler;
    private final Server server;
    private final CountDownLatch ended = new CountDownLatch(1);

    private ReplyServer(Network network, InetSocketAddress address, ServerSettings settings, VerboseLog log) throws IOException {
        this.settings = settings;
        this.log = log;
        handler = new ReplyHandler(settings, log);
        ServerBuilder builder = Server.builder()
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

    /** Binds and listens. With a single loop, clients wait in the listen backlog until {@link #run}. */
    static ReplyServer listen(Network network, InetSocketAddress address, ServerSettings settings, VerboseLog log)
            throws IOException {
        return new ReplyServer(network, address, settings, log);
    }

    InetSocketAddress address() {
        return server.address();
    }

    /**
     * Serves until the server has drained.
     *
     * @throws IOException a loop cannot continue
     */
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
                if (log.isEnabled()) {
                    log.turned(done, server.stats().total().connections());
                }
            }
        } finally {
            ended.countDown();
        }
    }

    /**
     * Stops accepting clients and messages, sends what is queued, and waits until {@link #run} has returned.
     *
     * @return the number of clients that had not received everything when the timeout expired
     */
    int drain(Duration timeout) throws InterruptedException {
        server.drain(timeout);
        ended.await();
        return handler.cutOff();
    }

    @Override
    public void close() {
        server.close();
    }
}
