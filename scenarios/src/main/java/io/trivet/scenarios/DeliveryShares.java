package io.trivet.scenarios;

import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Server;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Checks that clients which send many messages at once are served in turn, up to 1,024 messages each. */
final class DeliveryShares {
    private static final int SHARE = 1_024;

    /** Messages of one connection that were delivered without a message of another between them. */
    private record Share(int connection, int messages) {}

    private final TrialRun run;
    private final List<Share> shares = new ArrayList<>();

    DeliveryShares(TrialRun run) {
        this.run = run;
    }

    void perform() throws IOException {
        TrialNetwork network = run.readinessNetwork();
        run.sim.buffers(64 << 10, 64 << 10);
        TrialHandler handler = new TrialHandler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                delivered(seen(connection).number);
            }
        };
        Server server = run.builder(network, handler, Trial.LIMITS.withMessageTimeout(Duration.ZERO)).framing(Framing.lines())
                .open();
        int count = run.random.between(2, 4);
        List<TrialClient> clients = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            clients.add(TrialClient.connect(run, run.address));
            network.settle();
        }
        int[] left = new int[count];
        for (int i = 0; i < count; i++) {
            left[i] = run.random.number(0, 1, SHARE - 1, SHARE, SHARE + 1, 2 * SHARE, 2 * SHARE + 1, 3_000);
            clients.get(i).write("\n".repeat(left[i]));
            run.log("client " + i + " sends " + left[i] + " messages");
        }
        run.sim.run(Duration.ofNanos(1_000));
        network.settle();
        compare(left);
        run.close(network, server);
    }

    private void delivered(int connection) {
        Share last = shares.isEmpty() ? new Share(-1, 0) : shares.getLast();
        boolean continues = last.connection == connection && last.messages < SHARE;
        if (continues) {
            shares.removeLast();
        }
        shares.add(new Share(connection, continues ? last.messages + 1 : 1));
    }

    /** Compares the shares with a round robin: the poll determines the order of the first round, which all others repeat. */
    private void compare(int[] left) {
        List<Integer> order = shares.stream().map(Share::connection).distinct().toList();
        List<Share> expected = new ArrayList<>();
        while (expected.size() < shares.size() + 1 && order.stream().anyMatch(each -> left[each] > 0)) {
            for (int each : order) {
                int messages = Math.min(SHARE, left[each]);
                left[each] -= messages;
                if (messages > 0) {
                    expected.add(new Share(each, messages));
                }
            }
        }
        run.same(Rule.DELIVERY, "the shares of the connections", shares, expected);
        for (int i = 0; i < left.length; i++) {
            run.same(Rule.DELIVERY, "messages of connection " + i + " that were not delivered", left[i], 0);
        }
    }
}
