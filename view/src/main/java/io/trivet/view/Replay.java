package io.trivet.view;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;

/**
 * Shows a {@link Recording} in the page of a {@link View}, with a timeline: at each step the three lists, the clients, and what has
 * happened. Like a view, it serves data only to requests that carry the token of its address.
 *
 * <p><b>Threads.</b> Every method may be called from any thread.
 */
public final class Replay implements AutoCloseable {
    private final Site site;

    private Replay(Site site) {
        this.site = site;
    }

    /**
     * Starts to show a recording.
     *
     * @param recording a recording that has {@linkplain Recording#end ended}
     * @param address where to listen, on the loopback interface if others on the network are not to see it; port 0: a free one
     * @return the replay, which is to be closed
     * @throws IOException it cannot listen at the address
     * @throws IllegalStateException the recording has not ended
     */
    public static Replay start(Recording recording, InetSocketAddress address) throws IOException {
        if (recording.kept().isEmpty()) {
            throw new IllegalStateException("the recording has not ended");
        }
        Replay replay = new Replay(new Site(address, null, List.of(), new ReplayData(recording)));
        replay.site.start();
        return replay;
    }

    /**
     * Returns the address at which it listens.
     *
     * @return the address, with the port in use
     */
    public InetSocketAddress address() {
        return site.address();
    }

    /**
     * Returns the address to open in a browser, token included.
     *
     * @return the address
     */
    public URI url() {
        return site.url();
    }

    /** Ends it. */
    @Override
    public void close() {
        site.close();
    }
}
