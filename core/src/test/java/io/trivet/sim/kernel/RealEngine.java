package io.trivet.sim.kernel;

import io.trivet.net.Network;
import java.io.IOException;

/** Runs scripts on a real network of this machine. */
final class RealEngine {
    private final String name;
    private final Network network;
    private final LoopbackAddresses addresses = new LoopbackAddresses();

    RealEngine(String name) {
        this.name = name;
        this.network = Network.named(name);
    }

    String name() {
        return name;
    }

    /** Returns true for java.nio, which has no third list and reports less than the kernel does. */
    boolean isNio() {
        return name.equals("nio");
    }

    /** Runs a script. */
    ScriptResult run(Script script) throws IOException {
        Settler settler = isNio() ? new YieldingSettler() : new KernelSettler(script.buffersFill());
        try (ScriptRunner runner = new ScriptRunner(network, addresses.next(), settler, isNio())) {
            return new ScriptResult(runner.run(script.steps(), index -> {}), runner.unsettled(), runner.stepsBeforeSynRetry());
        }
    }
}
