package io.trivet.sim.kernel;

import io.trivet.net.Network;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** A network of this machine, for scripts. */
final class RealEngine {
    /** Of 127.0.0.0/8 every address is this machine: with one each, scripts do not take each other's ports, nor wait for old ones. */
    private static final int HOSTS = 1 << 20;

    private final String name;
    private final Network network;
    private int performances;

    RealEngine(String name) {
        this.name = name;
        this.network = Network.named(name);
    }

    String name() {
        return name;
    }

    /** Whether it is java.nio, which has no third list, and says less than the kernel does. */
    boolean isNio() {
        return name.equals("nio");
    }

    /** Performs a script. */
    Performance perform(Script script) throws IOException {
        Settling settling = isNio() ? new PatientSettling() : new KernelSettling(script.buffersFill());
        try (Actor actor = new Actor(network, host(), settling, isNio())) {
            return new Performance(actor.perform(script.steps(), index -> {}), actor.unsettled());
        }
    }

    private InetAddress host() throws UnknownHostException {
        int number = performances++ % HOSTS;
        byte[] bytes = {127, (byte) (16 + (number >> 14)), (byte) (number >> 6), (byte) (1 + (number & 63))};
        return InetAddress.getByAddress(bytes);
    }
}
