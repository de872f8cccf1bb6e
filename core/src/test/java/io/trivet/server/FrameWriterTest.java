package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The frame around an outgoing message. */
final class FrameWriterTest {
    @Test
    void frameIsPutAroundACopyOfTheMessage() {
        ByteBuffer content = LoopParts.bytes("hello");
        ByteBuffer line = Framing.lines("\r\n").writer().frame(content);
        assertThat(LoopParts.text(line)).isEqualTo("hello\r\n");
        assertThat(line.isDirect()).isTrue();
        assertThat(content.hasRemaining()).as("the content is used up").isFalse();

        content.put(0, (byte) 'j').rewind();
        assertThat(LoopParts.text(line)).as("a copy").isEqualTo("hello\r\n");
        assertThat(LoopParts.text(Framing.lengthPrefixed(2).writer().frame(content))).isEqualTo("\0\5jello");
    }

    @Test
    void messageThatItsFrameCannotHoldIsRejectedWithBothLengths() {
        FrameWriter encoder = Framing.lengthPrefixed(1).writer();
        assertThat(encoder.frameLength(255)).isEqualTo(256);
        assertThatThrownBy(() -> encoder.frameLength(256)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("256").hasMessageContaining("at most 255");
    }

    /** A head of decimal digits: its length depends on that of the message. */
    private record Digits(int wrongBy) implements FrameEncoder {
        @Override
        public int headLength(int messageBytes) {
            return Integer.toString(messageBytes).length() + 1 + wrongBy;
        }

        @Override
        public void putHead(ByteBuffer out, int messageBytes) {
            out.order(ByteOrder.LITTLE_ENDIAN).put((messageBytes + ":").getBytes(StandardCharsets.US_ASCII));
        }
    }

    @Test
    void headMayDependOnTheLengthOfTheMessage() {
        FrameWriter writer = new FrameWriter(new Digits(0));
        assertThat(LoopParts.text(writer.frame(LoopParts.bytes("")))).isEqualTo("0:");
        assertThat(LoopParts.text(writer.frame(LoopParts.bytes("0123456789")))).isEqualTo("10:0123456789");
        assertThat(writer.frameLength(100)).isEqualTo(104);
        assertThatThrownBy(() -> writer.frameLength(Integer.MAX_VALUE)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void encoderThatWritesMoreOrLessThanItSaidIsStoppedAndLeavesTheBufferAsItWas() {
        ByteBuffer out = ByteBuffer.allocate(20).position(3);
        assertThatThrownBy(() -> new FrameWriter(new Digits(1)).putHead(out, 3, 5)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("2 bytes, not the 3");
        assertThatThrownBy(() -> new FrameWriter(new Digits(-1)).putHead(out, 1, 5)).isInstanceOf(BufferOverflowException.class);
        assertThat(out.position()).isEqualTo(3);
        assertThat(out.limit()).isEqualTo(20);
        assertThat(out.order()).isEqualTo(ByteOrder.BIG_ENDIAN);
        assertThatThrownBy(() -> new FrameWriter(new Digits(-10)).frameLength(5)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void broadcastIsHeldOnceForAllConnectionsWithTheSameFrame() {
        Budget budget = new Budget(1 << 20);
        Broadcast broadcast = new Broadcast(budget, new SharedBuffers(0), Framing.lines().writer(), LoopParts.bytes("hello"));
        SharedMessage first = broadcast.framed(Framing.lengthPrefixed(4).writer());
        assertThat(broadcast.framed(Framing.lengthPrefixed(4).writer())).as("each upgrade makes its own").isSameAs(first);
        assertThat(broadcast.framed(Framing.lengthPrefixed(2).writer())).isNotSameAs(first);
        SharedMessage plain = broadcast.framed(Framing.of((in, from, to, frame) -> {}).writer());
        assertThat(broadcast.framed(Framing.of((in, from, to, frame) -> {}).writer())).isSameAs(plain);
        assertThat(broadcast.framed(Framing.raw().writer())).isSameAs(plain);
        SharedMessage delimited = broadcast.framed(Framing.delimited((byte) ';').writer());
        assertThat(broadcast.framed(Framing.delimited((byte) ';').writer())).isSameAs(delimited);
        assertThat(broadcast.framed(Framing.delimited((byte) ',').writer())).isNotSameAs(delimited);
        broadcast.release();
        assertThat(budget.bytes()).isZero();
    }
}
