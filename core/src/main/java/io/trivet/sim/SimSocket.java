package io.trivet.sim;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Socket;
import io.trivet.net.TcpOptions;
import java.io.IOException;
import java.net.SocketOption;

/** A descriptor of a simulated host. */
abstract sealed class SimSocket implements Socket
        permits SimDescriptor, SimPipe.End, SimTcpListener, SimTcpStream, SimUdpSocket {
    final SimHost host;
    private final OpenFile file;
    /** -1 once closed. */
    private int number;

    SimSocket(SimHost host, OpenFile file, int number) {
        this.host = host;
        this.file = file;
        this.number = number;
    }

    /** What it stands for. */
    OpenFile file() throws IOException {
        return file;
    }

    /** Whether its number is open. */
    boolean isThere() {
        return true;
    }

    /** The options, as far as this kind of socket has any. */
    SocketOptions options() {
        return SocketOptions.NONE;
    }

    @Override
    public final Network network() {
        return host;
    }

    @Override
    public final int fd() {
        return number;
    }

    @Override
    public final boolean isOpen() {
        return number >= 0;
    }

    final void checkOpen() throws ClosedSocketException {
        if (number < 0) {
            throw new ClosedSocketException(toString());
        }
    }

    final NetworkException failure(String call, ErrorCode code) {
        return new NetworkException(call, this, code);
    }

    /** Whether a call that moves bytes is interrupted before it does. */
    final boolean isInterrupted() {
        return host.faults.happens(SimFault.INTERRUPTED);
    }

    @Override
    public <T> void setOption(SocketOption<T> option, T value) throws IOException {
        checkOpen();
        options().set(this, option, value);
        if (!option.equals(TcpOptions.URGENT_INLINE)) { // that can make readable, and on Linux nobody is told
            file().changed();
        }
    }

    @Override
    public <T> T getOption(SocketOption<T> option) throws IOException {
        checkOpen();
        return options().get(this, option);
    }

    /** The descriptor is left open: for what is only borrowed. */
    final void letGo() {
        number = -1;
    }

    @Override
    public void close() {
        if (number >= 0) {
            int last = number;
            number = -1;
            host.descriptors.remove(last);
            host.closed(this);
            file.release();
        }
    }
}
