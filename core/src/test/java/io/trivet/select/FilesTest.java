package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Case;
import io.trivet.contract.Descriptors;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Tools;
import io.trivet.net.Capability;
import io.trivet.net.Descriptor;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Socket;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Descriptors that Trivet has not opened: files, FIFOs, the output of a child process. */
@Timeout(60) // interrupts a wait that does not end
class FilesTest {
    @TempDir private Path directory;

    /** Follows CPython's test_select: only the pipe is ever ready, whatever the timeout. */
    @Case("8")
    @EveryEngine
    @NotSimulated(NotSimulated.MACHINE)
    void outputOfAChildProcessIsReadable(Lab lab) throws Exception {
        if (lab.refuses(Capability.DESCRIPTORS, () -> lab.network().descriptor(0))) {
            return;
        }
        Path fifo = fifo();
        Tools.Peer child = lab.keep(Tools.start(Tools.require("sh"), "-c",
                "exec > " + fifo + "; for i in 0 1 2 3 4 5 6 7 8 9; do echo line $i; sleep 0.02; done"));
        try (FileInputStream open = new FileInputStream(fifo.toFile())) {
            Descriptor output = descriptor(lab, fifo, open);
            StringBuilder text = new StringBuilder();
            int[] timeoutsMillis = {0, 1, 2, 4, 8, 16};
            boolean ended = false;
            for (int round = 0; !ended; round++) {
                Duration timeout = round < timeoutsMillis.length ? Duration.ofMillis(timeoutsMillis[round]) : null;
                Ready<Descriptor> ready = Select.on(lab.network()).select(List.of(output), List.of(), List.of(output), timeout);
                assertThat(ready.writable()).isEmpty();
                assertThat(ready.exceptional()).isEmpty();
                if (ready.readable().isEmpty()) {
                    assertThat(timeout).as("only a wait with a timeout ends without a result").isNotNull();
                } else {
                    assertThat(ready.readable()).containsExactly(output);
                    ended = !read(output, text);
                }
            }
            assertThat(text.toString().lines().toList()).hasSize(10).first().isEqualTo("line 0");
            assertThat(text).endsWith("line 9\n");
        }
        child.finish();
    }

    @Case("55")
    @EveryEngine
    @NotSimulated(NotSimulated.MACHINE)
    void fifoWithAByteIsReadable(Lab lab) throws Exception {
        if (lab.refuses(Capability.DESCRIPTORS, () -> lab.network().descriptor(0))) {
            return;
        }
        Path fifo = fifo();
        lab.keep(Tools.start(Tools.require("sh"), "-c", "printf x > " + fifo));
        try (FileInputStream open = new FileInputStream(fifo.toFile())) {
            List<Socket> one = List.of(descriptor(lab, fifo, open));
            assertThat(Select.on(lab.network()).select(one, List.of(), List.of(), Lab.PATIENCE).readable()).isEqualTo(one);
        }
    }

    @Case("53")
    @EveryEngine
    @NotSimulated(NotSimulated.MACHINE)
    void regularFileIsReadable(Lab lab) throws Exception {
        if (lab.refuses(Capability.DESCRIPTORS, () -> lab.network().descriptor(0))) {
            return;
        }
        Path file = Files.createFile(directory.resolve("empty"));
        try (FileInputStream open = new FileInputStream(file.toFile())) {
            List<Socket> one = List.of(descriptor(lab, file, open));
            NetworkSelect select = Select.on(lab.network());
            if (lab.network().supports(Capability.REGULAR_FILES)) {
                assertThat(select.select(one, List.of(), List.of(), Lab.PATIENCE).readable()).isEqualTo(one);
            } else {
                assertThatThrownBy(() -> select.select(one, List.of(), List.of(), Lab.PATIENCE))
                        .isInstanceOfSatisfying(NetworkException.class, e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.EPERM);
                            assertThat(e.getMessage()).startsWith("rlist[0]: ").contains("epoll", "poll", "select");
                            lab.cannot("EPERM: epoll cannot watch a regular file or a directory");
                        });
            }
        }
    }

    /** Its poller is an epoll, but a user has never named one. */
    @Test
    void refusalOfAFileNamesTheNetworkThatTheUserChose() throws IOException {
        assumeTrue(Network.engines().stream().anyMatch(engine -> engine.name().equals("uring") && engine.available()),
                "uring is not available");
        Network uring = Network.named("uring");
        Path file = Files.createFile(directory.resolve("empty"));
        try (FileInputStream open = new FileInputStream(file.toFile())) {
            assertThat(open.getFD().valid()).isTrue();
            Descriptor descriptor = uring.descriptor(Descriptors.numberOf(file));
            assertThatThrownBy(() -> Select.on(uring).select(List.of(), List.of(descriptor), List.of(), Lab.PATIENCE))
                    .hasMessageStartingWith("wlist[0]: ").hasMessageContaining("the network uring");
        }
    }

    /** Returns the descriptor of an open file, which the JVM does not expose. */
    private static Descriptor descriptor(Lab lab, Path file, FileInputStream open) throws IOException {
        assertThat(open.getFD().valid()).isTrue();
        return lab.network().descriptor(Descriptors.numberOf(file));
    }

    /** Reads what is available. Returns false at the end of input. */
    private static boolean read(Descriptor from, StringBuilder text) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(100);
        int count = from.read(buffer);
        text.append(new String(buffer.array(), 0, Math.max(0, count), StandardCharsets.US_ASCII));
        return count >= 0;
    }

    private Path fifo() throws IOException, InterruptedException {
        Path fifo = directory.resolve("fifo");
        try (Tools.Peer mkfifo = Tools.start(Tools.require("mkfifo"), fifo.toString())) {
            mkfifo.finish();
        }
        return fifo;
    }
}
