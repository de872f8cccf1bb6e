package io.trivet.sim;

import io.trivet.net.Interest;
import io.trivet.net.Network;
import io.trivet.net.Socket;
import java.io.IOException;
import java.net.SocketOption;
import java.nio.ByteBuffer;

/** Wraps a socket of the wrapped network, and injects faults into its calls. */
abstract sealed class TorturedSocket<S extends Socket> implements Socket
        permits TorturedListener, TorturedStream, TorturedUdpSocket, TorturedPipe.End, TorturedDescriptor {
    final S inner;
    final TortureInjector injector;
    private final TortureNetwork network;

    TorturedSocket(TortureNetwork network, S inner) {
        this.network = network;
        this.inner = inner;
        this.injector = network.splitInjector();
    }

    /** Runs a transfer. If the fault occurs, the wrapped socket sees only a part of the buffer. */
    final int transfer(ByteBuffer buffer, Fault shortage, Buffers.Transfer transfer) throws IOException {
        int whole = buffer.remaining();
        if (whole < 2 || !injector.shouldInject(shortage)) {
            return transfer.move(buffer);
        }
        int part = (int) injector.part(whole);
        int moved = Buffers.limited(buffer, part, transfer);
        if (moved == part) {
            injector.count(shortage);
        }
        return moved;
    }

    /** Returns the bits of an interest that may be reported although the socket is not ready. */
    int mayBeSpurious(int interest) {
        return (interest & Interest.PRIORITY) != 0 ? interest & Interest.WRITE : interest & (Interest.READ | Interest.WRITE);
    }

    @Override
    public final Network network() {
        return network;
    }

    @Override
    public final int fd() {
        return inner.fd();
    }

    @Override
    public final boolean isOpen() {
        return inner.isOpen();
    }

    @Override
    public <T> void setOption(SocketOption<T> option, T value) throws IOException {
        inner.setOption(option, value);
    }

    @Override
    public final <T> T getOption(SocketOption<T> option) throws IOException {
        return inner.getOption(option);
    }

    @Override
    public final void close() throws IOException {
        inner.close();
    }

    @Override
    public final String toString() {
        return inner.toString();
    }
}
