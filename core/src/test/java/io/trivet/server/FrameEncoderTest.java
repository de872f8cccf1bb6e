package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** The frame around an outgoing message. */
final class FrameEncoderTest {
    @Test
    void frameIsPutAroundACopyOfTheMessage() {
        ByteBuffer content = LoopParts.bytes("hello");
        ByteBuffer line = new FrameEncoder(Framing.lines("\r\n")).frame(content);
        assertThat(LoopParts.text(line)).isEqualTo("hello\r\n");
        assertThat(line.isDirect()).isTrue();
        assertThat(content.hasRemaining()).as("the content is used up").isFalse();

        content.put(0, (byte) 'j').rewind();
        assertThat(LoopParts.text(line)).as("a copy").isEqualTo("hello\r\n");
        assertThat(LoopParts.text(new FrameEncoder(Framing.lengthPrefixed(2)).frame(content))).isEqualTo("\0\5jello");
    }

    @Test
    void messageThatItsFrameCannotHoldIsRejectedWithBothLengths() {
        FrameEncoder encoder = new FrameEncoder(Framing.lengthPrefixed(1));
        assertThat(encoder.frameLength(255)).isEqualTo(256);
        assertThatThrownBy(() -> encoder.frameLength(256)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("256").hasMessageContaining("at most 255");
    }
}
