package io.trivet.sim.kernel;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** Of 127.0.0.0/8 every address is this machine: with one each, scripts do not take each other's ports, nor wait for old ones. */
final class Hosts {
    private static final int COUNT = 1 << 20;

    private int taken;

    InetAddress next() throws UnknownHostException {
        int number = taken++ % COUNT;
        byte[] bytes = {127, (byte) (16 + (number >> 14)), (byte) (number >> 6), (byte) (1 + (number & 63))};
        return InetAddress.getByAddress(bytes);
    }
}
