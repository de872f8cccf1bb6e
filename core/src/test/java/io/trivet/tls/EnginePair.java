package io.trivet.tls;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Two engines that have completed their handshake with each other. */
record EnginePair(TlsEngine client, TlsEngine server) {
    private static final int ROOM = 4 * TlsEngine.RECORD_BYTES_MAX;

    static EnginePair handshake(TlsEngine client, TlsEngine server) throws IOException {
        ByteBuffer toServer = ByteBuffer.allocateDirect(ROOM);
        ByteBuffer toClient = ByteBuffer.allocateDirect(ROOM);
        boolean moved = true;
        while (moved) {
            boolean first = put(client, toServer);
            boolean second = take(server, toServer);
            boolean third = put(server, toClient);
            boolean fourth = take(client, toClient);
            moved = first || second || third || fourth;
        }
        return new EnginePair(client, server);
    }

    private static boolean put(TlsEngine engine, ByteBuffer to) throws IOException {
        boolean moved = false;
        for (; engine.hasTask() || engine.hasOutput(); moved = true) {
            if (engine.hasTask()) {
                engine.runTask();
            } else {
                engine.wrapOutput(to);
            }
        }
        return moved;
    }

    private static boolean take(TlsEngine engine, ByteBuffer from) throws IOException {
        from.flip();
        ByteBuffer plaintext = ByteBuffer.allocateDirect(ROOM);
        boolean moved = false;
        for (; from.hasRemaining() && !engine.hasTask() && !engine.hasOutput(); moved = true) {
            int length = TlsEngine.HEADER_BYTES + (from.getShort(from.position() + 3) & 0xffff);
            engine.unwrap(from.slice(from.position(), length), plaintext);
            from.position(from.position() + length);
        }
        from.compact();
        return moved;
    }
}
