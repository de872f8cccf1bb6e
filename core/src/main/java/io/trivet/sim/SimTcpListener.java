package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** The descriptor of a listener. */
final class SimTcpListener extends SimSocket implements TcpListener {
    private final ListeningSocket listener;

    SimTcpListener(SimHost host, ListeningSocket listener, int number) {
        super(host, listener, number);
        this.listener = listener;
        listener.options.reuseAddress();
    }

    @Override
    SocketOptions options() {
        return listener.options;
    }

    @Override
    public @Nullable TcpStream accept() throws IOException {
        checkOpen();
        TcpEndpoint first = listener.first();
        FaultInjector faults = host.faults;
        if (first == null || faults.happens(Fault.ACCEPT_WOULD_BLOCK)) {
            return null;
        }
        if (faults.happens(Fault.ACCEPT_NO_DESCRIPTOR)) {
            throw failure("accept", draw(Fault.ACCEPT_NO_DESCRIPTOR, ErrorCode.EMFILE, ErrorCode.ENFILE));
        }
        if (faults.happens(Fault.ACCEPT_NO_MEMORY)) {
            throw failure("accept", draw(Fault.ACCEPT_NO_MEMORY, ErrorCode.ENOBUFS, ErrorCode.ENOMEM));
        }
        while (first != null && !first.isUnix() && faults.happens(Fault.ACCEPT_ABORTED)) {
            host.kernel.recordFault(Fault.ACCEPT_ABORTED, first);
            listener.removeFirst();
            first.reset();
            first = listener.first();
        }
        if (first == null) {
            return null;
        }
        int number = host.descriptors.add(first, "accept", this);
        listener.removeFirst();
        if (host.kernel.isTraced()) {
            host.kernel.trace(first + " is accepted, descriptor " + number);
        }
        return new SimTcpStream(host, first, number, true);
    }

    private ErrorCode draw(Fault fault, ErrorCode one, ErrorCode other) {
        ErrorCode code = host.faults.random(fault).below(2) == 0 ? one : other;
        host.kernel.trace(fault, this + ": " + code);
        return code;
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        checkOpen();
        return listener.address;
    }

    @Override
    public String toString() {
        return listener.toString();
    }
}
