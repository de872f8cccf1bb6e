package io.trivet.server;

import io.trivet.contract.Engine;
import io.trivet.net.Network;
import java.util.List;
import java.util.function.Supplier;

/** Where the tests of the server run. A network more, for instance one that misbehaves by a seed, is an entry more. */
final class ServerNetworks {
    /** All of them, in the order in which a test runs on them. */
    static final List<Kind> ALL = Engine.ALL.stream().map(engine -> new Kind(engine.name(), engine.opener())).toList();

    private ServerNetworks() {}

    /**
     * A kind of network.
     *
     * @param name what a run is called
     * @param opener gives a network to one test; throws {@link io.trivet.net.UnavailableException} where there is none
     */
    record Kind(String name, Supplier<Network> opener) {}
}
