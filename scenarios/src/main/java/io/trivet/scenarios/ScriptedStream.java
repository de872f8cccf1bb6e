package io.trivet.scenarios;

import io.trivet.net.SendableFile;
import io.trivet.net.TcpStream;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/** A stream whose reads and writes have drawn outcomes. */
final class ScriptedStream extends ScriptedSocket implements TcpStream {
    private final SeededRandom random;
    private final int number;
    private final boolean isUnix;
    /** True while a call has nothing to do. */
    private boolean idle;

    ScriptedStream(ScriptedNetwork network, int number, boolean isUnix) {
        super(network, "s" + number, 100 + number);
        random = network.random;
        this.number = number;
        this.isUnix = isUnix;
    }

    void idle(boolean hasNothing) {
        idle = hasNothing;
    }

    private void log(String event) {
        scripted.log(this + ": " + event);
    }

    @Override
    public boolean finishConnect() throws IOException {
        if (idle) {
            return false;
        }
        scripted.maybeFail("finishConnect " + this, 15);
        boolean finished = random.chance(70);
        log("finishConnect " + finished);
        return finished;
    }

    @Override
    public int read(ByteBuffer buffer) throws IOException {
        if (idle) {
            return 0;
        }
        scripted.maybeFail("read " + this, 8);
        int room = buffer.remaining();
        int bytes = switch (random.below(8)) {
            case 0 -> 0;
            case 1 -> -1;
            case 2 -> room;
            case 3 -> room - 1;
            default -> (int) random.logUniform(1, 5_000);
        };
        log("read of " + room + " bytes at " + buffer.position() + ": " + bytes);
        if (bytes > 0) {
            int last = buffer.position() + bytes - 1;
            buffer.put(buffer.position(), (byte) random.below(256)).put(last, (byte) random.below(256)).position(last + 1);
        }
        return bytes;
    }

    @Override
    public int write(ByteBuffer buffer) throws IOException {
        return (int) write(new ByteBuffer[]{buffer}, 0, 1);
    }

    @Override
    public long write(ByteBuffer[] buffers, int from, int count) throws IOException {
        scripted.maybeFail("write " + this, 8);
        int all = 0;
        for (int i = from; i < from + count; i++) {
            all += buffers[i].remaining();
        }
        int accepted = random.chance(50) ? all : random.between(0, all);
        int left = accepted;
        for (int i = from; i < from + count; i++) {
            int of = Math.min(left, buffers[i].remaining());
            buffers[i].position(buffers[i].position() + of);
            left -= of;
        }
        log("write " + all + " bytes: " + accepted);
        return accepted;
    }

    @Override
    public long sendFile(SendableFile file, long position, long count) throws IOException {
        scripted.maybeFail("sendFile " + this, 8);
        long sent = random.pick(SendableFile.ENDED, SendableFile.UNSUPPORTED, 0L, count - 1, count, count);
        log("sendFile from " + position + ", " + count + " bytes: " + sent);
        return sent;
    }

    @Override
    public boolean sendUrgent(byte b) throws IOException {
        scripted.maybeFail("sendUrgent " + this, 8);
        boolean sent = random.chance(60);
        log("sendUrgent " + b + ": " + sent);
        return sent;
    }

    @Override
    public int receiveUrgent() throws IOException {
        if (idle) {
            return -1;
        }
        scripted.maybeFail("receiveUrgent " + this, 10);
        int urgent = random.number(-1, 0, 1, 127, 128, 255);
        log("receiveUrgent: " + urgent);
        return urgent;
    }

    @Override
    public boolean atMark() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void shutdownInput() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void shutdownOutput() throws IOException {
        scripted.maybeFail("shutdownOutput " + this, 8);
        log("shutdownOutput");
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        scripted.maybeFail("localAddress " + this, 5);
        return new InetSocketAddress("10.0.0.1", 10_000 + number);
    }

    @Override
    public InetSocketAddress remoteAddress() throws IOException {
        scripted.maybeFail("remoteAddress " + this, 3);
        return isUnix ? UnixAddress.ofAbstract("peer" + number).asInetSocketAddress()
                : new InetSocketAddress("10.0.0.2", 20_000 + number);
    }
}
