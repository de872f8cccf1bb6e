package io.trivet.sim;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Socket;
import io.trivet.net.TcpOptions;
import java.io.IOException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;

/** A descriptor of a simulated host. */
abstract sealed class SimSocket implements Socket
        permits SimDescriptor, SimPipe.End, SimTcpListener, SimTcpStream, SimUdpSocket {
    final SimHost host;
    private final OpenFile file;
    /** The descriptor; -1 when closed. */
    private int number;

    SimSocket(SimHost host, OpenFile file, int number) {
        this.host = host;
        this.file = file;
        this.number = number;
    }

    /** Returns the file that the descriptor refers to. */
    OpenFile file() throws IOException {
        return file;
    }

    /** Returns whether the descriptor refers to an open file. Only a borrowed descriptor may not. */
    boolean isDescriptorOpen() {
        return true;
    }

    /** Returns the options; {@link SocketOptions#NONE} if this kind of socket has none. */
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

    /** Throws the pending error, if there is one. It is reported once. */
    final void throwPending(String call, Endpoint end) throws NetworkException {
        ErrorCode error = end.takeError();
        if (error != null) {
            throw failure(call, error);
        }
    }

    /** Draws whether a signal interrupts a call before it moves bytes. */
    final boolean isInterrupted() {
        return host.faults.happens(Fault.INTERRUPTED);
    }

    @Override
    public <T> void setOption(SocketOption<T> option, T value) throws IOException {
        checkOpen();
        options().set(this, option, value);
        host.noteChange();
        // SO_OOBINLINE can make the socket readable too, but Linux does not wake its watchers for that.
        if (option.equals(TcpOptions.RECEIVE_LOW_WATER)) {
            file().changed(Interest.READ);
        } else if (option.equals(TcpOptions.NOT_SENT_LOW_WATER) || option.equals(StandardSocketOptions.SO_SNDBUF)) {
            file().roomHasChanged();
        }
    }

    @Override
    public <T> T getOption(SocketOption<T> option) throws IOException {
        checkOpen();
        return options().get(this, option);
    }

    /** Closes this object. Its borrowed descriptor stays open. */
    final void forget() {
        host.noteChange();
        number = -1;
    }

    @Override
    public void close() {
        if (number >= 0) {
            int last = number;
            number = -1;
            host.descriptors.remove(last);
            host.noteChange();
            host.kernel.progress();
            file.release();
        }
    }
}
