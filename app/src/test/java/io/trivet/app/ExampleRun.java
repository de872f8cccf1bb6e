package io.trivet.app;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * One run of clients against an example's server: first with faults, then without, until each client is over. Then the results are
 * checked by further clients.
 */
abstract class ExampleRun {
    private static final Duration WITH_FAULTS = Duration.ofSeconds(10);
    private static final Duration RECOVERY = Duration.ofMinutes(10);
    /** Well below the write timeout: a client that does not read for that long would be cut. */
    private static final Duration PASS_MAX = Duration.ofMillis(250);
    private static final Duration REAL_TIME_MAX = Duration.ofSeconds(Program.TIMEOUT_SECONDS);

    final ExampleNetwork network;
    final Random random;
    final List<ExampleClient> clients = new ArrayList<>();
    boolean recovering;
    private final Duration passMax;

    ExampleRun(ExampleNetwork network, long seed) {
        this.network = network;
        random = new Random(seed);
        passMax = Duration.ofMillis(20 + random.nextInt(200));
    }

    /** Opens the first clients. */
    abstract void begin();

    /** Called between steps. Opens further clients, such as those that connect again. */
    abstract void between();

    /** Checks the results once all clients are over and the faults have ended. */
    abstract void check() throws IOException;

    final void run() throws IOException {
        try {
            begin();
            until(network.isSimulated() ? WITH_FAULTS : Duration.ZERO, passMax);
            recovering = true;
            network.recover();
            finishClients();
            check();
        } finally {
            clients.forEach(ExampleClient::abandon);
        }
    }

    /** Runs all clients until they are over. */
    final void finishClients() throws IOException {
        until(network.isSimulated() ? RECOVERY : REAL_TIME_MAX, PASS_MAX);
        for (ExampleClient client : clients) {
            client.expect(client.isOver(), "is neither served nor cut: " + client);
        }
    }

    /** Lets the server notice what has happened. */
    final void settle() throws IOException {
        for (int i = 0; i < (network.isSimulated() ? 100 : 2); i++) {
            network.pass(random, Duration.ofSeconds(1), clients);
        }
    }

    private void until(Duration time, Duration most) throws IOException {
        long start = network.clock().nanoTime();
        while (network.clock().nanoTime() - start < time.toNanos()) {
            between();
            if (clients.stream().allMatch(ExampleClient::isOver)) {
                return;
            }
            for (int i = 0; i < clients.size(); i++) {
                clients.get(i).step();
            }
            network.pass(random, most, clients);
        }
    }
}
