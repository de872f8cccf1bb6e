package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.Pair;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** 15,000 sockets in one call. If the descriptor limit is too low, fewer sockets are tested and the test counts as skipped. */
class ManySocketsTest {
    private static final int SOCKETS = 15_000;
    /** Descriptors left for the JVM and for other tests. */
    private static final int RESERVE = 1_000;

    @Case({"C6", "31"})
    @EveryEngine
    void findsOneReadySocketAmongMany(Lab lab) throws Exception {
        int left = descriptorsLeft();
        int count = Math.min(SOCKETS, left - RESERVE);
        assumeTrue(count > 1, () -> "the descriptor limit leaves " + left + " descriptors, too few for any part of this test");
        List<TcpStream> streams = new ArrayList<>(count);
        List<Pair> pairs = new ArrayList<>(count / 2);
        TcpListener listener = lab.listener();
        for (int i = 0; i < count / 2; i++) {
            Pair pair = lab.pair(listener);
            pair.client().setOption(StandardSocketOptions.SO_LINGER, 0); // otherwise thousands of ports would stay in TIME_WAIT
            pairs.add(pair);
            streams.add(pair.client());
            streams.add(pair.server());
        }
        NetworkSelect select = Select.on(lab.network());
        assertThat(select.select(streams, List.of(), List.of(), Duration.ZERO).isEmpty()).isTrue();
        assertThat(select.select(List.of(), streams, List.of(), Duration.ZERO).writable()).isEqualTo(streams);
        for (int which : new int[]{0, pairs.size() / 2, pairs.size() - 1}) {
            Pair pair = pairs.get(which);
            lab.send(pair.server(), "!");
            assertThat(select.select(streams, List.of(), List.of(), Lab.PATIENCE).readable()).containsExactly(pair.client());
            assertThat(lab.receive(pair.client(), 1)).isEqualTo("!");
        }
        assumeTrue(count == SOCKETS, () -> "passed with " + count + " of " + SOCKETS
                + " sockets: the descriptor limit leaves " + left + " descriptors (raise it with ulimit -n)");
    }

    static int descriptorsLeft() throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"));
                Stream<String> limits = Files.lines(Path.of("/proc/self/limits"))) {
            String limit = limits.filter(line -> line.startsWith("Max open files")).findFirst().orElseThrow()
                    .split(" +", -1)[3];
            return (limit.equals("unlimited") ? Integer.MAX_VALUE : (int) Math.min(Long.parseLong(limit), Integer.MAX_VALUE))
                    - (int) open.count();
        }
    }
}
