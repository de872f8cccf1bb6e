package io.trivet.server;

import io.trivet.net.Network;
import io.trivet.net.Pipe;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Two descriptors that are kept open as a reserve. When descriptors run out, they are closed, so that other code (a log file,
 * class loading) finds a free one. One thread.
 */
final class DescriptorReserve {
    private final Network network;
    private final Log log;
    private @Nullable Pipe reserve;

    DescriptorReserve(Network network, Log log) {
        this.network = network;
        this.log = log;
    }

    /**
     * Opens the reserve, if it is not open.
     *
     * @throws IOException no descriptor is left
     */
    void open() throws IOException {
        if (reserve == null) {
            reserve = network.pipe();
        }
    }

    void close() {
        Pipe open = reserve;
        reserve = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                log.closeFailed(e);
            }
        }
    }
}
