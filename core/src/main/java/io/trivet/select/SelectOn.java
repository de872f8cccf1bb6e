package io.trivet.select;

import io.trivet.net.Network;
import io.trivet.net.Selectable;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** {@link Select} by the readiness call of one network. Threads: any number at the same time. */
public final class SelectOn {
    private final Network network;

    SelectOn(Network network) {
        this.network = Objects.requireNonNull(network, "network");
    }

    /**
     * The three-list call: see {@link Select#select(Collection, Collection, Collection, Duration)}.
     *
     * @param rlist to be told when readable
     * @param wlist to be told when writable
     * @param xlist to be told when urgent data has arrived
     * @param timeout null: no limit; zero: does not wait; else the longest wait
     * @param <S> what the lists hold
     * @return the ready ones
     * @throws IOException as there
     */
    public <S extends Selectable> Ready<S> select(Collection<? extends S> rlist, Collection<? extends S> wlist,
            Collection<? extends S> xlist, @Nullable Duration timeout) throws IOException {
        return new ThreeLists(network).select(rlist, wlist, xlist, timeout);
    }

    /**
     * The C call: see {@link Select#select(int, FdSet, FdSet, FdSet, Duration)}.
     *
     * @param nfds one more than the highest descriptor to look at
     * @param readSet to be told when readable; null: none
     * @param writeSet to be told when writable; null: none
     * @param exceptSet to be told when urgent data has arrived; null: none
     * @param timeout null: no limit; zero: does not wait; else the longest wait
     * @return how many bits are set
     * @throws UnsupportedOperationException the network has no descriptors
     * @throws IOException as there
     */
    public int select(int nfds, @Nullable FdSet readSet, @Nullable FdSet writeSet, @Nullable FdSet exceptSet,
            @Nullable Duration timeout) throws IOException {
        return new ThreeSets(network).select(nfds, readSet, writeSet, exceptSet, timeout);
    }
}
