package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** A UDP socket as the kernel has it. */
final class UdpEndpoint extends OpenFile {
    /** What may wait; further datagrams are lost. As net.core.rmem_default. */
    private static final int WAITING_BYTES_MAX = 212_992;

    /** A datagram that waits. */
    static final class Datagram {
        final byte[] bytes;
        final InetSocketAddress from;

        Datagram(byte[] bytes, InetSocketAddress from) {
            this.bytes = bytes;
            this.from = from;
        }
    }

    private final ArrayDeque<Datagram> waiting = new ArrayDeque<>();
    private int waitingBytes;
    private @Nullable ErrorCode error;
    /** Where it is bound; port 0: nowhere yet. */
    InetSocketAddress local;
    @Nullable InetSocketAddress remote;

    UdpEndpoint(Kernel kernel, InetSocketAddress local) {
        super(kernel);
        this.local = local;
    }

    @Override
    int ready() {
        return Interest.WRITE | (waiting.isEmpty() ? 0 : Interest.READ) | (error == null ? 0 : Interest.ERROR);
    }

    /** Whether a datagram to that address is for it. */
    boolean isAt(InetSocketAddress address) {
        InetAddress own = local.getAddress();
        return local.getPort() == address.getPort() && (own.isAnyLocalAddress() || own.equals(address.getAddress()));
    }

    /** One that is connected is there for its peer alone. */
    boolean isFor(Datagram datagram) {
        return remote == null || remote.equals(datagram.from);
    }

    void arrive(Datagram datagram) {
        if (waitingBytes + datagram.bytes.length <= WAITING_BYTES_MAX) {
            waitingBytes += datagram.bytes.length;
            waiting.add(datagram);
            changed();
        }
    }

    /** Nobody is there: only one who is connected is told. */
    void unreachable(InetSocketAddress address) {
        if (address.equals(remote)) {
            error = ErrorCode.ECONNREFUSED;
            changed();
        }
    }

    @Nullable
    ErrorCode takeError() {
        ErrorCode taken = error;
        error = null;
        return taken;
    }

    boolean hasWaiting() {
        return !waiting.isEmpty();
    }

    @Nullable
    Datagram take() {
        Datagram first = waiting.poll();
        if (first != null) {
            waitingBytes -= first.bytes.length;
        }
        return first;
    }

    @Override
    void release() {
        kernel.udp.remove(this);
    }

    @Override
    public String toString() {
        return "udp " + io.trivet.net.Addresses.toString(local);
    }
}
