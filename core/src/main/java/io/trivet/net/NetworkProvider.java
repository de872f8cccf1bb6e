package io.trivet.net;

import java.util.List;

/**
 * Provider interface (SPI): supplies named networks. {@link java.util.ServiceLoader} finds the providers; applications call
 * {@link Network#named} and {@link Network#system} instead.
 *
 * <p>A provider creates each network once: every call of {@link #network} with the same name returns the same object. Threads:
 * any.
 */
public interface NetworkProvider {
    /**
     * Returns the names of this provider's networks, best first, whether or not they are available here.
     *
     * @return the names
     */
    List<String> names();

    /**
     * Returns those of {@link #names} that {@link Network#system} may choose, best first. The first one that is available is
     * chosen.
     *
     * @return by default only the best
     */
    default List<String> automatic() {
        return names().subList(0, 1);
    }

    /**
     * Returns the network with that name.
     *
     * @param name one of {@link #names}
     * @return the network, always the same object
     * @throws UnavailableException the network is not available here; the message states the reason and the cure
     */
    Network network(String name);

    /**
     * Returns how much {@link Network#system} prefers this provider.
     *
     * @return a number; of the available providers, the one with the highest number is used. java.nio, which is available
     *     everywhere, has 0
     */
    int preference();
}
