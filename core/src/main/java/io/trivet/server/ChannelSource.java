package io.trivet.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/** Reads a transfer's bytes from a channel of the application. */
final class ChannelSource implements TransferSource {
    private final ReadableByteChannel channel;

    ChannelSource(ReadableByteChannel channel) {
        this.channel = channel;
    }

    @Override
    public int read(ByteBuffer piece, long at) throws IOException {
        return channel.read(piece);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
