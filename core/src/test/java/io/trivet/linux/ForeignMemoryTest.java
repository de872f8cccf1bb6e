package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Lab;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.net.UdpSocket;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The kernel gets the address of a buffer only if no thread can free the memory during the call. */
@Timeout(60)
final class ForeignMemoryTest {
    private static final int SIZE = 1 << 12;
    private static final Duration RACE = Duration.ofSeconds(1);

    @TempDir Path directory;

    @Test
    void onlyMemoryThatLivesWithItsBufferHasAnAddress() throws Exception {
        DirectAddresses addresses = new DirectAddresses();
        try (Arena shared = Arena.ofShared(); Arena confined = Arena.ofConfined(); FileChannel file = file()) {
            for (MemorySegment held : new MemorySegment[]{shared.allocate(8), confined.allocate(8),
                file.map(FileChannel.MapMode.READ_WRITE, 0, 8, shared)}) {
                ByteBuffer buffer = held.asByteBuffer();
                assertThat(addresses.base(buffer)).isEqualTo(DirectAddresses.NONE);
                assertThat(addresses.base(buffer)).as("from the cache").isEqualTo(DirectAddresses.NONE);
                assertThat(addresses.base(buffer.slice(1, 3).duplicate())).as("a view").isEqualTo(DirectAddresses.NONE);
            }
            for (ByteBuffer buffer : new ByteBuffer[]{ByteBuffer.allocateDirect(8), Arena.ofAuto().allocate(8).asByteBuffer(),
                Arena.global().allocate(8).asByteBuffer(), file.map(FileChannel.MapMode.READ_WRITE, 0, 8)}) {
                long base = MemorySegment.ofBuffer(buffer).address();
                assertThat(addresses.base(buffer)).isEqualTo(base);
                assertThat(addresses.base(buffer.position(3))).as("the position does not matter").isEqualTo(base);
                assertThat(addresses.base(buffer.slice())).as("a view").isEqualTo(base + 3);
                assertThat(addresses.base(buffer.asReadOnlyBuffer().limit(4))).as("a view").isEqualTo(base);
            }
            assertThat(addresses.base(ByteBuffer.allocate(8))).as("on the heap").isEqualTo(DirectAddresses.NONE);
        }
    }

    /** A thread closes the arena of a buffer and maps other memory in its place, while another reads into the buffer. */
    @Test
    void readNeverWritesToMemoryOfAnArenaThatAnotherThreadHasClosed() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "the engine is Linux's");
        AtomicReference<ByteBuffer> target = new AtomicReference<>(ByteBuffer.allocateDirect(SIZE));
        AtomicBoolean over = new AtomicBoolean();
        AtomicLong begun = new AtomicLong();
        AtomicLong successes = new AtomicLong();
        CompletableFuture<Void> done = new CompletableFuture<>();
        try (Pipe pipe = Network.named("poll").pipe(); FileChannel file = file()) {
            Thread reader = Thread.ofPlatform().daemon().start(() -> {
                try {
                    read(pipe, target, over, begun, successes);
                    done.complete(null);
                } catch (Throwable t) {
                    done.completeExceptionally(t);
                }
            });
            long end = System.nanoTime() + RACE.toNanos();
            while (!done.isDone() && (System.nanoTime() < end || successes.get() == 0)) {
                Arena one = Arena.ofShared();
                long before = begun.get();
                target.set(file.map(FileChannel.MapMode.PRIVATE, 0, SIZE, one).asByteBuffer());
                while (begun.get() < before + 2 && !done.isDone()) { // the second read has this target
                    Thread.onSpinWait();
                }
                close(one);
                try (Arena two = Arena.ofShared()) {
                    MemorySegment other = file.map(FileChannel.MapMode.PRIVATE, 0, SIZE, two);
                    for (long i = 0; i < SIZE; i += 64) {
                        assertThat(other.get(ValueLayout.JAVA_BYTE, i)).as("byte %d of another mapping", i).isZero();
                    }
                }
            }
            over.set(true);
            done.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS);
            reader.join();
        }
    }

    /** Writes to the pipe and reads into the target, until the race is over. */
    private static void read(Pipe pipe, AtomicReference<ByteBuffer> target, AtomicBoolean over, AtomicLong begun,
            AtomicLong successes) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocateDirect(SIZE);
        for (int i = 0; i < SIZE; i++) {
            bytes.put(i, (byte) 0x5a);
        }
        while (!over.get()) {
            pipe.sink().write(bytes.clear());
            try {
                ByteBuffer buffer = target.get();
                begun.incrementAndGet();
                successes.addAndGet(pipe.source().read(buffer.clear()) > 0 ? 1 : 0);
            } catch (IllegalStateException e) {
                assertThat(e).hasMessageContaining("closed");
            }
        }
    }

    /** A read that is under way keeps the arena open. */
    private static void close(Arena arena) {
        while (arena.scope().isAlive()) {
            try {
                arena.close();
            } catch (IllegalStateException e) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void datagramsUseMemoryOfArenas() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "the engine is Linux's");
        ByteBuffer out;
        ByteBuffer in;
        try (UdpSocket socket = Network.named("poll").udp(Lab.FREE_PORT)) {
            try (Arena shared = Arena.ofShared()) {
                out = shared.allocate(4).asByteBuffer().put((byte) 'a').put((byte) 'b').flip();
                in = shared.allocate(4).asByteBuffer().position(1);
                assertThat(socket.send(out, socket.localAddress())).isTrue();
                assertThat(out.hasRemaining()).isFalse();
                assertThat(socket.receive(in)).isEqualTo(socket.localAddress());
                assertThat(in.position()).isEqualTo(3);
                assertThat((char) in.get(1)).isEqualTo('a');
                out.rewind();
            }
            assertThatThrownBy(() -> socket.send(out, socket.localAddress())).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> socket.receive(in)).isInstanceOf(IllegalStateException.class);
        }
    }

    private FileChannel file() throws IOException {
        FileChannel file = FileChannel.open(directory.resolve("zeros"), StandardOpenOption.CREATE, StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        file.write(ByteBuffer.wrap(new byte[1]), SIZE - 1); // the rest are zeros
        return file;
    }
}
