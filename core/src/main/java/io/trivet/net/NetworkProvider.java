package io.trivet.net;

import java.util.List;

/**
 * Where named networks come from; found by {@link java.util.ServiceLoader}. A provider opens each network once: {@link #network}
 * with the same name gives the same object.
 */
public interface NetworkProvider {
    /**
     * The names that this provider answers to, whether they are available here or not, its best first.
     *
     * @return the names
     */
    List<String> names();

    /**
     * Those of {@link #names} that {@link Network#system} may take, the best first: the first that can be had here is taken.
     *
     * @return by default the best alone
     */
    default List<String> automatic() {
        return names().subList(0, 1);
    }

    /**
     * The network of that name.
     *
     * @param name one of {@link #names}
     * @return the network, always the same
     * @throws UnavailableException it cannot be had here; the message says why and what would cure it
     */
    Network network(String name);

    /**
     * How much to prefer this provider for {@link Network#system}.
     *
     * @return the highest available wins; java.nio, which is everywhere, has 0
     */
    int preference();
}
