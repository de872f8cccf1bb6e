package io.trivet.select;

import io.trivet.net.Network;
import io.trivet.net.Selectable;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Both forms of {@link Select} on one chosen network: see {@link Select#on}. Immutable; any number of threads may use it at the same
 * time.
 */
public final class NetworkSelect {
    private final Network network;

    NetworkSelect(Network network) {
        this.network = Objects.requireNonNull(network, "network");
    }

    /**
     * Waits until one of the listed objects is ready: see {@link Select#select(Collection, Collection, Collection, Duration)}.
     *
     * @param rlist objects to check for reading
     * @param wlist objects to check for writing
     * @param xlist objects to check for urgent data
     * @param timeout the longest time to wait; null waits without limit, zero does not wait
     * @param <S> the type of the listed objects
     * @return the objects that are ready, in three lists; all empty if the timeout expired
     * @throws IOException as {@code Select.select} does
     */
    public <S extends Selectable> Ready<S> select(Collection<? extends S> rlist, Collection<? extends S> wlist,
            Collection<? extends S> xlist, @Nullable Duration timeout) throws IOException {
        return new ListSelect(network).select(rlist, wlist, xlist, timeout);
    }

    /**
     * Waits until one of the descriptors is ready, as in C: see {@link Select#select(int, FdSet, FdSet, FdSet, Duration)}.
     *
     * @param nfds one more than the highest descriptor to check
     * @param readSet descriptors to check for reading, or null
     * @param writeSet descriptors to check for writing, or null
     * @param exceptSet descriptors to check for urgent data, or null
     * @param timeout the longest time to wait; null waits without limit, zero does not wait
     * @return the number of bits set in the three sets below nfds; 0 if the timeout expired
     * @throws UnsupportedOperationException if the network has no descriptors
     * @throws IOException as {@code Select.select} does
     */
    public int select(int nfds, @Nullable FdSet readSet, @Nullable FdSet writeSet, @Nullable FdSet exceptSet,
            @Nullable Duration timeout) throws IOException {
        return new FdSetSelect(network).select(nfds, readSet, writeSet, exceptSet, timeout);
    }
}
