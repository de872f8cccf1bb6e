package io.trivet.sim.kernel;

import io.trivet.net.Network;
import java.io.IOException;

/** A network of this machine, for scripts. */
final class RealEngine {
    private final String name;
    private final Network network;
    private final Hosts hosts = new Hosts();

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
        try (Actor actor = new Actor(network, hosts.next(), settling, isNio())) {
            return new Performance(actor.perform(script.steps(), index -> {}), actor.unsettled(), actor.inTime());
        }
    }
}
