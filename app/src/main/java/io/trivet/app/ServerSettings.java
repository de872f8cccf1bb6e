package io.trivet.app;

import io.trivet.net.Cidr;
import io.trivet.net.SocketFile;
import io.trivet.server.AccessList;
import io.trivet.server.Limits;
import io.trivet.tls.TlsServer;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The options of {@code trivet serve}, checked.
 *
 * @param timeout the longest time an idle loop waits in one turn
 * @param urgent whether to watch connections for urgent data
 * @param tls the settings of TLS; null: plaintext
 */
record ServerSettings(ReplyOption reply, FramingOption framing, Duration timeout, OverflowOption overflow, Limits limits,
        int loops,
        int backlog, boolean urgent, @Nullable TlsServer tls, AccessList access,
        List<Cidr> proxies, SocketFile socketFile) {
    ServerSettings(ReplyOption reply, FramingOption framing, Duration timeout, OverflowOption overflow, Limits limits, int loops,
            int backlog, boolean urgent) {
        this(reply, framing, timeout, overflow, limits, loops, backlog, urgent, null, AccessList.all(), List.of(),
                SocketFile.defaults());
    }
}
