package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Messages on their way from one thread to another. */
final class MessageHandoverTest {
    private final Budget budget = new Budget(10_000);
    private final MessageHandover handover = new MessageHandover(budget, new Counters(0, () -> 0));

    private static String text(ByteBuffer message) {
        byte[] bytes = new byte[message.remaining()];
        message.get(bytes);
        return new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
    }

    @Test
    void consumerTakesAllThatHasArrived() {
        assertThat(handover.take()).isFalse();
        assertThat(handover.add(LoopParts.bytes("one"), false)).isEqualTo(MessageHandover.Added.FIRST);
        assertThat(handover.add(LoopParts.bytes(""), false)).isEqualTo(MessageHandover.Added.NEXT);
        assertThat(handover.next()).as("not taken yet").isNull();
        assertThat(handover.take()).isTrue();
        assertThat(handover.add(LoopParts.bytes("three"), false)).isEqualTo(MessageHandover.Added.FIRST);
        assertThat(text(handover.next())).isEqualTo("one");
        assertThat(text(handover.next())).isEmpty();
        assertThat(handover.next()).isNull();
        assertThat(handover.take()).isTrue();
        assertThat(text(handover.next())).isEqualTo("three");
        assertThat(handover.take()).isFalse();
        assertThat(handover.next()).isNull();
    }

    @Test
    void messageIsCopiedAndItsBufferIsNotChanged() {
        ByteBuffer message = ByteBuffer.wrap("-abc-".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1), 1, 3);
        handover.add(message, false);
        assertThat(message.position()).isEqualTo(1);
        message.put(1, (byte) 'X');
        handover.take();
        assertThat(text(handover.next())).isEqualTo("abc");
    }

    @Test
    void consumerMayChangeTheBufferOfAMessage() {
        handover.add(LoopParts.bytes("one"), false);
        handover.add(LoopParts.bytes("two"), false);
        handover.take();
        ByteBuffer first = handover.next();
        first.order(ByteOrder.LITTLE_ENDIAN).clear().limit(1).position(1);
        assertThat(text(handover.next())).isEqualTo("two");
    }

    @Test
    void changedByteOrderOfABufferDoesNotAffectLaterMessages() {
        handover.add(LoopParts.bytes("one"), false);
        handover.take();
        handover.next().order(ByteOrder.LITTLE_ENDIAN);
        handover.giveUp(); // the buffer is used again
        handover.add(LoopParts.bytes("two"), false);
        handover.add(ByteBuffer.allocate(500), false); // and copied to a larger one
        handover.take();
        assertThat(text(handover.next())).isEqualTo("two");
        assertThat(handover.next().remaining()).isEqualTo(500);
    }

    @Test
    void largeBuffersCountAgainstTheBudgetUntilTheyAreRead() {
        assertThat(handover.add(ByteBuffer.allocate(100), false)).isEqualTo(MessageHandover.Added.FIRST);
        assertThat(budget.bytes()).as("what an idle session keeps").isZero();
        assertThat(handover.add(ByteBuffer.allocate(6_000), false)).isEqualTo(MessageHandover.Added.NEXT);
        assertThat(budget.bytes()).isBetween(6_100L, 10_000L);
        assertThat(handover.add(ByteBuffer.allocate(6_000), false)).isEqualTo(MessageHandover.Added.NO_MEMORY);
        handover.take();
        assertThat(handover.add(ByteBuffer.allocate(6_000), false)).isEqualTo(MessageHandover.Added.NO_MEMORY);
        assertThat(handover.next().remaining()).isEqualTo(100);
        assertThat(handover.next().remaining()).isEqualTo(6_000);
        assertThat(handover.next()).isNull();
        handover.giveUp();
        assertThat(budget.bytes()).isZero();
        assertThat(handover.add(ByteBuffer.allocate(6_000), false)).isEqualTo(MessageHandover.Added.FIRST);
        handover.drop();
        assertThat(budget.bytes()).isZero();
        assertThat(handover.take()).isFalse();
    }

    @Test
    void smallMessagesCostNoAllocation() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        ByteBuffer message = ByteBuffer.allocate(64);
        long allocated = 0;
        for (int round = 0; round < 3; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 10_000; i++) {
                handover.add(message, false);
                handover.take();
                assertNotNull(handover.next());
                handover.giveUp();
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - before;
        }
        assertThat(allocated).isLessThan(10_000);
    }

    private static void assertNotNull(ByteBuffer message) {
        if (message == null) {
            throw new AssertionError();
        }
    }

    @Test
    void twoThreadsPassMessagesInOrder() throws Exception {
        long seed = System.nanoTime();
        int count = 50_000;
        CompletableFuture<Integer> wrong = new CompletableFuture<>();
        Thread.ofPlatform().daemon().start(() -> {
            Random lengths = new Random(seed);
            int mismatches = 0;
            for (int i = 0; i < count;) {
                ByteBuffer message = handover.next();
                if (message == null) {
                    handover.take();
                    continue;
                }
                boolean matches = message.remaining() == 4 + lengths.nextInt(200) && message.getInt() == i;
                mismatches += matches ? 0 : 1;
                i++;
            }
            wrong.complete(mismatches);
        });
        Random lengths = new Random(seed);
        for (int i = 0; i < count; i++) {
            ByteBuffer message = ByteBuffer.allocate(4 + lengths.nextInt(200)).putInt(0, i);
            while (handover.add(message, false) == MessageHandover.Added.NO_MEMORY) {
                Thread.onSpinWait();
            }
        }
        assertThat(wrong.get(30, TimeUnit.SECONDS)).as("seed %d", seed).isZero();
    }
}
