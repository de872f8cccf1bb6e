package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.Pair;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;

/** Transfers bytes through buffers of every kind, and checks the buffers' positions. */
final class BuffersTest {
    private static final int LARGE = 300_000;

    /** The kind of memory of a buffer. */
    private enum Kind {
        HEAP, DIRECT, HEAP_SLICE, DIRECT_SLICE, AUTOMATIC_ARENA, SHARED_ARENA,
        /** Not closed: only the thread of the test could do that. */
        CONFINED_ARENA;

        /** Returns a buffer with the given number of bytes between position and limit. */
        ByteBuffer allocate(int size) {
            return switch (this) {
                case HEAP -> ByteBuffer.allocate(size);
                case DIRECT -> ByteBuffer.allocateDirect(size);
                case HEAP_SLICE -> ByteBuffer.allocate(size + 30).slice(10, size + 20).position(7).limit(size + 7);
                case DIRECT_SLICE -> ByteBuffer.allocateDirect(size + 30).slice(10, size + 20).position(7).limit(size + 7);
                case AUTOMATIC_ARENA -> Arena.ofAuto().allocate(size + 5).asByteBuffer().position(5);
                case SHARED_ARENA -> keep(Arena.ofShared()).allocate(size + 5).asByteBuffer().position(5);
                case CONFINED_ARENA -> Arena.ofConfined().allocate(size + 5).asByteBuffer().position(5);
            };
        }

        ByteBuffer of(byte[] bytes) {
            ByteBuffer buffer = allocate(bytes.length);
            buffer.duplicate().put(bytes);
            return buffer;
        }
    }

    private static final List<Arena> ARENAS = new ArrayList<>();

    private static Arena keep(Arena arena) {
        ARENAS.add(arena);
        return arena;
    }

    @AfterEach
    void closeArenas() {
        ARENAS.forEach(Arena::close);
        ARENAS.clear();
    }

    @EveryEngine
    @Case("S2")
    void everyKindOfBufferTransfersTheSameBytes(Lab lab) throws IOException {
        Pair pair = lab.pair();
        for (Kind from : Kind.values()) {
            for (Kind to : Kind.values()) {
                for (boolean readOnly : new boolean[]{false, true}) {
                    byte[] bytes = random(5000, (from.name() + to.name()).hashCode());
                    ByteBuffer out = readOnly ? from.of(bytes).asReadOnlyBuffer() : from.of(bytes);
                    int start = out.position();
                    assertThat(pair.client().write(out)).isEqualTo(bytes.length);
                    assertThat(out.position()).isEqualTo(start + bytes.length);

                    ByteBuffer in = to.allocate(bytes.length);
                    ByteBuffer view = in.duplicate();
                    lab.eventually("all arrives", () -> pair.server().read(in) >= 0 && !in.hasRemaining());
                    byte[] received = new byte[bytes.length];
                    view.get(received);
                    assertThat(received).as("%s to %s", from, to).isEqualTo(bytes);
                }
            }
        }
    }

    @EveryEngine
    @Case("S2")
    void readFillsOnlyTheFreeSpace(Lab lab) throws IOException {
        Pair pair = lab.pair();
        lab.send(pair.client(), "123456");
        lab.awaitLists(pair.server(), "rw-");
        for (Kind kind : Kind.values()) {
            ByteBuffer none = kind.allocate(0);
            assertThat(pair.server().read(none)).as("a full buffer").isZero();
        }
        ByteBuffer two = ByteBuffer.allocate(8).position(3).limit(5);
        assertThat(pair.server().read(two)).isEqualTo(2);
        assertThat(two.array()).containsExactly(0, 0, 0, '1', '2', 0, 0, 0);
        assertThat(two.position()).isEqualTo(5);
        assertThat(lab.receive(pair.server(), 4)).isEqualTo("3456");
    }

    @EveryEngine
    @Case("S2")
    void readIntoAReadOnlyBufferIsRejectedWithoutLoss(Lab lab) throws IOException {
        Pair pair = lab.pair();
        lab.send(pair.client(), "kept");
        lab.awaitLists(pair.server(), "rw-");
        for (Kind kind : Kind.values()) {
            ByteBuffer buffer = kind.allocate(8).asReadOnlyBuffer();
            // java.nio itself throws IllegalArgumentException
            assertThatThrownBy(() -> pair.server().read(buffer))
                    .isInstanceOfAny(ReadOnlyBufferException.class, IllegalArgumentException.class);
        }
        assertThat(lab.receive(pair.server(), 4)).isEqualTo("kept");
    }

    @EveryEngine
    @Case("S2")
    void largeBuffersAreTransferredInParts(Lab lab) throws IOException {
        for (Kind kind : Kind.values()) {
            Pair pair = lab.pair();
            pair.client().setOption(StandardSocketOptions.SO_SNDBUF, 1 << 20);
            byte[] bytes = random(LARGE, kind.name().hashCode());
            ByteBuffer out = kind.of(bytes);
            ByteBuffer in = kind.allocate(LARGE);
            ByteBuffer view = in.duplicate();
            lab.eventually("all arrives", () -> {
                int before = out.position();
                int written = out.hasRemaining() ? pair.client().write(out) : 0;
                assertThat(out.position()).isEqualTo(before + written);
                int position = in.position();
                int read = pair.server().read(in);
                assertThat(in.position()).isEqualTo(position + read);
                return !in.hasRemaining();
            });
            byte[] received = new byte[LARGE];
            view.get(received);
            assertThat(received).isEqualTo(bytes);
        }
    }

    @EveryEngine
    @Case("S2")
    void writeIsPartialWhenTheSocketBecomesFull(Lab lab) throws IOException {
        Pair pair = lab.pair();
        pair.client().setOption(StandardSocketOptions.SO_SNDBUF, 32 << 10);
        ByteBuffer huge = ByteBuffer.allocateDirect(64 << 20);
        int written = pair.client().write(huge);
        assertThat(written).isPositive().isLessThan(huge.capacity());
        assertThat(huge.position()).isEqualTo(written);
        lab.eventually("it would block", () -> pair.client().write(huge) == 0);
        assertThat(pair.client().write(huge)).isZero();
    }

    @EveryEngine
    @Case("S3")
    void gatheringWriteKeepsTheOrderOfMixedBuffers(Lab lab) throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Pair pair = lab.pair();
        pair.client().setOption(StandardSocketOptions.SO_SNDBUF, 64 << 10); // so that writes are partial
        ByteBuffer[] parts = new ByteBuffer[150];
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        for (int i = 0; i < parts.length; i++) {
            byte[] bytes = new byte[random.nextInt(10) == 0 ? 0 : random.nextInt(i % 7 == 0 ? 90_000 : 6_000)];
            random.nextBytes(bytes);
            parts[i] = Kind.values()[random.nextInt(Kind.values().length)].of(bytes);
            if (random.nextInt(4) == 0) {
                parts[i] = parts[i].asReadOnlyBuffer();
            }
            expected.writeBytes(bytes);
        }
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        ByteBuffer in = ByteBuffer.allocate(30_000);
        int[] from = {0};
        lab.eventually("all arrives, seed " + seed, () -> {
            while (from[0] < parts.length && !parts[from[0]].hasRemaining()) {
                from[0]++;
            }
            if (from[0] < parts.length) {
                long before = remaining(parts);
                long written = pair.client().write(parts, from[0], parts.length - from[0]);
                assertThat(before - remaining(parts)).as("seed %d: positions advanced by the bytes written", seed)
                        .isEqualTo(written);
            }
            int read = pair.server().read(in.clear());
            received.write(in.array(), 0, read);
            return received.size() == expected.size();
        });
        assertThat(received.toByteArray()).as("seed %d", seed).isEqualTo(expected.toByteArray());
    }

    @EveryEngine
    @Case("S3")
    void gatheringWriteUsesOnlyTheGivenRange(Lab lab) throws IOException {
        Pair pair = lab.pair();
        ByteBuffer[] parts = {Lab.bytes("no"), Lab.bytes("yes"), Lab.bytes("!"), Lab.bytes("no")};

        assertThat(pair.client().write(parts, 1, 2)).isEqualTo(4);
        assertThat(lab.receive(pair.server(), 4)).isEqualTo("yes!");
        assertThat(parts[0].position()).isZero();
        assertThat(parts[3].position()).isZero();
        assertThat(pair.client().write(parts, 1, 2)).as("all are empty").isZero();
        assertThat(pair.client().write(parts, 4, 0)).isZero();
        assertThatThrownBy(() -> pair.client().write(parts, 3, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> pair.client().write(parts, -1, 2)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @EveryEngine
    @Case("S2")
    void pipesTransferEveryKindOfBuffer(Lab lab) throws IOException {
        Pipe pipe = lab.pipe();
        for (Kind kind : Kind.values()) {
            byte[] bytes = random(3000, kind.name().hashCode());
            assertThat(pipe.sink().write(kind.of(bytes))).isEqualTo(bytes.length);
            ByteBuffer in = kind.allocate(bytes.length);
            ByteBuffer view = in.duplicate();
            assertThat(pipe.source().read(in)).isEqualTo(bytes.length);
            byte[] received = new byte[bytes.length];
            view.get(received);
            assertThat(received).isEqualTo(bytes);
        }
    }

    @EveryEngine
    @Case("S2")
    void memoryOfAClosedArenaIsRefusedWithoutLoss(Lab lab) throws IOException {
        Pair pair = lab.pair();
        lab.send(pair.client(), "kept");
        lab.awaitLists(pair.server(), "rw-");
        ByteBuffer closed;
        try (Arena arena = Arena.ofShared()) {
            closed = arena.allocate(8).asByteBuffer();
            assertThat(pair.client().write(closed.duplicate().limit(0))).isZero();
        }
        assertThatThrownBy(() -> pair.server().read(closed)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> pair.client().write(closed)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> pair.client().write(new ByteBuffer[]{Lab.bytes("!"), closed}, 0, 2))
                .isInstanceOf(IllegalStateException.class);
        assertThat(lab.receive(pair.server(), 4)).isEqualTo("kept");
    }

    @EveryEngine
    @Case("S2")
    void memoryOfAnotherThreadIsRefusedWithoutLoss(Lab lab) throws Exception {
        Pair pair = lab.pair();
        lab.send(pair.client(), "kept");
        lab.awaitLists(pair.server(), "rw-");
        CompletableFuture<ByteBuffer> foreign = new CompletableFuture<>();
        CountDownLatch done = new CountDownLatch(1);
        Thread owner = Thread.ofPlatform().daemon().start(() -> {
            try (Arena arena = Arena.ofConfined()) {
                foreign.complete(arena.allocate(8).asByteBuffer());
                done.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        ByteBuffer buffer = foreign.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        try {
            assertThatThrownBy(() -> pair.server().read(buffer)).isInstanceOf(WrongThreadException.class);
            assertThatThrownBy(() -> pair.client().write(buffer)).isInstanceOf(WrongThreadException.class);
            assertThatThrownBy(() -> pair.client().write(new ByteBuffer[]{Lab.bytes("!"), buffer}, 0, 2))
                    .isInstanceOf(WrongThreadException.class);
            assertThat(lab.receive(pair.server(), 4)).isEqualTo("kept");
        } finally {
            done.countDown();
            owner.join();
        }
    }

    private static long remaining(ByteBuffer[] parts) {
        long sum = 0;
        for (ByteBuffer part : parts) {
            sum += part.remaining();
        }
        return sum;
    }

    private static byte[] random(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }
}
