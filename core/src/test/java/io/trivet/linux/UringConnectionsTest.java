package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Lab;
import io.trivet.net.Network;
import io.trivet.net.UnavailableException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Reads the slots of a ring's connections on other threads while they are reused. */
final class UringConnectionsTest {
    private static final long HAMMER_NANOS = 1_000_000_000L;

    private record Known(long handle, InetSocketAddress address) {}

    /** A race, run for a second: a reader may lose the processor between reading the handle's slot and the address. */
    @Test
    void remoteAddressIsNeverThatOfALaterConnectionInTheSlot() throws Exception {
        UringConnections connections = new UringConnections();
        List<LinuxTcpStream> streams = streams(64);
        AtomicReference<Known> last = new AtomicReference<>();
        AtomicReference<String> wrong = new AtomicReference<>();
        AtomicInteger right = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        List<Thread> readers = new ArrayList<>();
        for (int i = 0; i < 4; i++) { // more than processors, so that they are preempted
            readers.add(Thread.ofPlatform().start(() -> {
                while (!over.get() && wrong.get() == null) {
                    Known known = last.get();
                    InetSocketAddress read = known == null ? null : connections.remoteOrNull(known.handle);
                    if (read != null && !read.equals(known.address)) {
                        wrong.set("the connection from " + known.address + " got the address " + read);
                    }
                    right.addAndGet(read == null ? 0 : 1);
                }
            }));
        }
        int first = connections.add(-1, 0, streams.getFirst());
        last.set(new Known(connections.handle(first), streams.getFirst().remoteAddress()));
        awaitPositive(right); // on a slow machine, the race could be over before a reader runs
        connections.remove(first);
        long end = System.nanoTime() + HAMMER_NANOS;
        for (int i = 0; System.nanoTime() < end && wrong.get() == null; i++) {
            LinuxTcpStream stream = streams.get(i % streams.size());
            int slot = connections.add(-1, 0, stream);
            last.set(new Known(connections.handle(slot), stream.remoteAddress()));
            Thread.onSpinWait();
            connections.remove(slot);
        }
        over.set(true);
        for (Thread reader : readers) {
            reader.join();
        }
        assertThat(wrong.get()).isNull();
        assertThat(right.get()).as("addresses that were read").isPositive();
    }

    private static void awaitPositive(AtomicInteger number) {
        long start = System.nanoTime();
        while (number.get() == 0 && System.nanoTime() - start < Lab.PATIENCE.toNanos()) {
            Thread.onSpinWait();
        }
    }

    /** Returns streams that have an address but no socket. */
    private static List<LinuxTcpStream> streams(int count) throws Exception {
        LinuxNetwork network;
        try {
            network = (LinuxNetwork) Network.named("epoll");
        } catch (UnavailableException e) {
            assumeTrue(false, e.reason());
            throw e;
        }
        Scratch memory = Scratch.ofThread();
        List<LinuxTcpStream> streams = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            SocketAddress.write(new InetSocketAddress("127.0.0." + i, 1000 * i), Libc.AF_INET, memory.address);
            streams.add(LinuxTcpStream.accepted(network, Integer.MAX_VALUE, memory));
        }
        return streams;
    }
}
