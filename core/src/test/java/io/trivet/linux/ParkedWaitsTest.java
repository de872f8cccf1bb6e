package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Lab;
import io.trivet.net.Descriptor;
import io.trivet.net.Network;
import io.trivet.select.NetworkSelect;
import io.trivet.select.Select;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Waits of virtual threads for descriptors whose numbers are reused. */
final class ParkedWaitsTest {
    private static final int EFD_NONBLOCK = 0x800;

    /** Opens a file as that descriptor, which is free: the kernel returns the lowest one. */
    private static void openAs(int fd, Path file) {
        List<Integer> lower = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(file.toString());
            int opened = Libc.open(path.address(), Libc.O_CLOEXEC);
            for (; opened >= 0 && opened != fd && lower.size() < 100; opened = Libc.open(path.address(), Libc.O_CLOEXEC)) {
                lower.add(opened);
            }
            assumeTrue(opened == fd, "another thread has taken the number");
        } finally {
            lower.forEach(Libc::close);
        }
    }

    private static <T> T get(Future<T> result) throws Exception {
        return result.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    /** A regular file cannot be in an epoll. The kernel refuses to add it, and also to remove it. */
    @Test
    void waitForADescriptorWhoseNumberARegularFileHasTakenEnds(@TempDir Path folder) throws Exception {
        Network network = Network.named("select");
        Path file = Files.writeString(folder.resolve("file"), "content");
        int fd = Libc.eventfd(0, EFD_NONBLOCK);
        Descriptor old = network.descriptor(fd);
        NetworkSelect select = Select.on(network);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Thread[] waiter = new Thread[1];
            Future<List<Descriptor>> waiting = threads.submit(() -> {
                waiter[0] = Thread.currentThread();
                return select.select(List.of(old), List.of(), List.of(), Lab.PATIENCE.multipliedBy(2)).readable();
            });
            while (waiter[0] == null || waiter[0].getState() != Thread.State.TIMED_WAITING) {
                Thread.onSpinWait();
            }
            Libc.close(fd);
            openAs(fd, file);
            Descriptor reused = network.descriptor(fd);
            Future<Boolean> urgent = threads.submit(
                    () -> select.select(List.of(), List.of(), List.of(reused), Duration.ofMillis(20)).isEmpty());
            assertThat(get(urgent)).as("a file has no urgent data").isTrue();
            assertThat(get(waiting)).as("the number is that of a readable file now").containsExactly(old);
            Libc.close(fd);
            int again = Libc.eventfd(0, EFD_NONBLOCK);
            Descriptor newest = network.descriptor(again);
            Future<List<Descriptor>> later = threads.submit(
                    () -> select.select(List.of(newest), List.of(), List.of(), Lab.PATIENCE).readable());
            newest.write(ByteBuffer.allocate(8).putLong(0, Long.MAX_VALUE >> 8));
            assertThat(get(later)).containsExactly(newest);
            Libc.close(again);
        }
    }
}
