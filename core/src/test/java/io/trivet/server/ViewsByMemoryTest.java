package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** Views of several memories that take turns. */
final class ViewsByMemoryTest {
    private static final int ROUNDS = 10_000;

    private final ViewsByMemory<ByteBuffer> views = new ViewsByMemory<>(ByteBuffer::asReadOnlyBuffer);

    @Test
    void eachMemoryKeepsItsView() {
        ByteBuffer first = LoopParts.direct("same");
        ByteBuffer second = LoopParts.direct("same"); // equal, and another memory
        ByteBuffer view = views.of(first);
        assertThat(views.of(second)).isNotSameAs(view);
        assertThat(views.of(first)).isSameAs(view);
        second.put(0, (byte) 'g');
        assertThat(LoopParts.text(views.of(second).clear())).isEqualTo("game");
    }

    @Test
    void onlyAFewMemoriesAreKept() {
        ByteBuffer first = LoopParts.direct("x");
        ByteBuffer view = views.of(first);
        for (int i = 0; i < 10; i++) {
            views.of(LoopParts.direct("y"));
        }
        assertThat(views.of(first)).isNotSameAs(view);
    }

    @Test
    void deliveriesFromTwoMemoriesInTurnAllocateNothing() {
        LoopParts parts = new LoopParts(Framing.raw(), Limits.defaults(), Overflow.PAUSE_READING);
        TestRecord plain = new QuietRecord(parts.profile);
        TestRecord secured = new QuietRecord(parts.profile);
        for (TestRecord connection : new TestRecord[]{plain, secured}) {
            connection.handle = parts.proactor.open();
            parts.table.expect();
            parts.table.put(connection);
        }
        ByteBuffer received = LoopParts.direct("received");
        ByteBuffer plaintext = LoopParts.direct("plaintext");
        deliver(parts, plain, received, secured, plaintext); // warms up
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        deliver(parts, plain, received, secured, plaintext);
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).as("bytes in %s deliveries", 2 * ROUNDS)
                .isLessThan(ROUNDS);
    }

    private static void deliver(LoopParts parts, TestRecord plain, ByteBuffer received, TestRecord secured,
            ByteBuffer plaintext) {
        for (int i = 0; i < ROUNDS; i++) {
            parts.delivery.received(plain, received, 0, received.limit());
            parts.delivery.received(secured, plaintext, 0, plaintext.limit());
        }
    }

    /** A record that does not note its callbacks: that would allocate. */
    private static final class QuietRecord extends TestRecord {
        QuietRecord(Profile profile) {
            super(true, profile);
        }

        @Override
        void callMessage(ByteBuffer message) {}
    }
}
