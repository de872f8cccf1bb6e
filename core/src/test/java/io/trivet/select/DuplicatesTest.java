package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.Case;
import io.trivet.contract.Tools;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** poll(2) rejects more entries than the process's descriptor limit, which a list with duplicates can exceed. */
class DuplicatesTest {
    private static final int LIMIT = 256;

    @Case("C3")
    @ParameterizedTest
    @ValueSource(strings = {"poll", "select", "epoll"})
    void listMayBeLongerThanTheDescriptorLimit(String engine) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(Tools.require("sh"), "-c", "ulimit -n " + LIMIT + " && exec \"$@\"", "sh"));
        command.addAll(Tools.java(ManyDuplicates.class, engine));
        try (Tools.Peer child = Tools.start(command.toArray(String[]::new))) {
            assertThat(child.finish()).containsExactly(
                    "idle: 0",
                    "all are writable: " + 3 * LIMIT,
                    "all are readable: " + 3 * LIMIT,
                    "after a wait: 0");
        }
    }

    /** Runs in another JVM with a low descriptor limit. */
    static final class ManyDuplicates {
        private ManyDuplicates() {}

        public static void main(String[] args) throws Exception {
            NetworkSelect select = Select.on(Network.named(args[0]));
            try (Pipe pipe = Network.system().pipe()) {
                List<Pipe.Source> sources = Collections.nCopies(3 * LIMIT, pipe.source());
                List<Pipe.Sink> sinks = Collections.nCopies(3 * LIMIT, pipe.sink());
                System.out.println("idle: "
                        + select.select(sources, List.of(), List.of(), Duration.ZERO).readable().size());
                System.out.println("all are writable: "
                        + select.select(List.of(), sinks, List.of(), null).writable().size());
                pipe.sink().write(ByteBuffer.allocate(1));
                System.out.println("all are readable: "
                        + select.select(sources, List.of(), List.of(), null).readable().size());
                pipe.source().read(ByteBuffer.allocate(1));
                System.out.println("after a wait: "
                        + select.select(sources, List.of(), List.of(), Duration.ofMillis(20)).readable().size());
            }
        }
    }
}
