package io.trivet.tls;

import io.trivet.openssl.Libssl;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The sessions that a client can resume, by server. Each is used once, because reused tickets let an observer link connections (RFC
 * 8446, appendix C.4). If there are too many, the oldest is freed. Any thread.
 */
final class OpenSslSessions {
    private static final int SESSIONS_MAX = 256;

    private final Map<String, Long> sessions = new LinkedHashMap<>();
    private boolean closed;

    /** Makes a connection offer the session of a server, if there is one. */
    synchronized void resume(String server, long ssl) {
        Long session = sessions.remove(server);
        if (session != null) {
            Libssl.resume(ssl, session);
            Libssl.freeSession(session);
        }
    }

    /** Keeps the session of a connection after its handshake, if it can be resumed. */
    synchronized void keep(String server, long ssl) {
        if (closed) {
            return;
        }
        long session = Libssl.resumableSession(ssl);
        if (session == 0) {
            return;
        }
        Long before = sessions.remove(server); // so that the new one is the youngest
        if (before != null) {
            Libssl.freeSession(before);
        }
        sessions.put(server, session);
        if (sessions.size() > SESSIONS_MAX) {
            Iterator<Long> oldest = sessions.values().iterator();
            Libssl.freeSession(oldest.next());
            oldest.remove();
        }
    }

    synchronized void close() {
        closed = true;
        sessions.values().forEach(Libssl::freeSession);
        sessions.clear();
    }
}
