package io.trivet.sim.kernel;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** Gives each script an address of its own in 127.0.0.0/8, so that scripts do not share ports or wait for ports in TIME_WAIT. */
final class LoopbackAddresses {
    private static final int COUNT = 1 << 20;

    private int used;

    InetAddress next() throws UnknownHostException {
        int number = used++ % COUNT;
        byte[] bytes = {127, (byte) (16 + (number >> 14)), (byte) (number >> 6), (byte) (1 + (number & 63))};
        return InetAddress.getByAddress(bytes);
    }
}
