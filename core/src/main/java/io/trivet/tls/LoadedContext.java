package io.trivet.tls;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/** Certificates and keys, loaded for one of the engines. Replaced as a whole when they are loaded again. */
sealed interface LoadedContext permits LoadedContext.Jdk, OpenSslContext.Lease {
    /** No new connection gets this context. Those that have it keep it. */
    void close();

    /**
     * A context of the JDK.
     *
     * @param context the context
     * @param parameters the parameters of its engines, which each engine copies
     */
    record Jdk(SSLContext context, SSLParameters parameters) implements LoadedContext {
        @Override
        public void close() {
            // Everything is on the heap.
        }
    }
}
