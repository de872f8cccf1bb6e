package io.trivet.app;

import io.trivet.net.Network;
import io.trivet.net.TcpStream;
import io.trivet.select.Select;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Connects to a name: tries each of its addresses in turn. */
final class Dialer {
    private final Network network;
    private final HostPort target;
    private final List<InetSocketAddress> addresses;

    Dialer(Network network, HostPort target) throws IOException {
        this.network = network;
        this.target = target;
        this.addresses = target.resolve();
    }

    /** A connection to the first address that answers within that time; else the reason of each. */
    ClientConnection dial(Duration limit) throws IOException {
        long until = network.clock().nanoTime() + limit.toNanos();
        List<String> reasons = new ArrayList<>();
        for (InetSocketAddress address : addresses) {
            try {
                return dial(address, until);
            } catch (IOException e) {
                reasons.add(e.getMessage());
            }
        }
        throw new IOException(String.join("; ", reasons));
    }

    private ClientConnection dial(InetSocketAddress address, long until) throws IOException {
        TcpStream stream = network.connect(address);
        try {
            while (!stream.finishConnect()) {
                long left = until - network.clock().nanoTime();
                if (left <= 0) {
                    throw new IOException("connect " + target + ": no answer in the time of --wait");
                }
                Select.select(List.of(), List.of(stream), List.of(), Duration.ofNanos(left));
            }
            return new ClientConnection(stream);
        } catch (IOException | RuntimeException e) {
            stream.close();
            throw e;
        }
    }
}
