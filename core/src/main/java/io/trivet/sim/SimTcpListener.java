package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** A listening descriptor. */
final class SimTcpListener extends SimSocket implements TcpListener {
    private final ListeningSocket listening;

    SimTcpListener(SimHost host, ListeningSocket listening, int number) {
        super(host, listening, number);
        this.listening = listening;
        listening.options.reuseAddress();
    }

    @Override
    SocketOptions options() {
        return listening.options;
    }

    @Override
    public @Nullable TcpStream accept() throws IOException {
        checkOpen();
        TcpEndpoint first = listening.first();
        FaultInjector faults = host.faults;
        if (first == null || faults.happens(Fault.ACCEPT_WOULD_BLOCK)) {
            return null;
        }
        if (faults.happens(Fault.ACCEPT_NO_DESCRIPTOR)) {
            throw failure("accept", drawn(Fault.ACCEPT_NO_DESCRIPTOR, ErrorCode.EMFILE, ErrorCode.ENFILE));
        }
        if (faults.happens(Fault.ACCEPT_NO_MEMORY)) {
            throw failure("accept", drawn(Fault.ACCEPT_NO_MEMORY, ErrorCode.ENOBUFS, ErrorCode.ENOMEM));
        }
        while (first != null && faults.happens(Fault.ACCEPT_ABORTED)) {
            host.kernel.recordFault(Fault.ACCEPT_ABORTED, first);
            listening.removeFirst();
            first.reset();
            first = listening.first();
        }
        if (first == null) {
            return null;
        }
        int number = host.descriptors.add(first, "accept", this);
        listening.removeFirst();
        if (host.kernel.isTraced()) {
            host.kernel.trace(first + " is accepted, descriptor " + number);
        }
        return new SimTcpStream(host, first, number, true);
    }

    private ErrorCode drawn(Fault fault, ErrorCode one, ErrorCode other) {
        ErrorCode code = host.faults.random(fault).below(2) == 0 ? one : other;
        host.kernel.trace(fault, this + ": " + code);
        return code;
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        checkOpen();
        return listening.address;
    }

    @Override
    public String toString() {
        return listening.toString();
    }
}
