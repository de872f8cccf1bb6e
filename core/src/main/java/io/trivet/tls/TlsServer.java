package io.trivet.tls;

import io.trivet.net.EngineStatus;
import io.trivet.openssl.MemoryBios;
import java.io.IOException;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * The TLS settings of a server: its certificates with their keys, and whether clients need a certificate. The settings do not
 * change, but the certificates can be {@linkplain #reload reloaded}. Any thread.
 *
 * <p>By default TLS 1.3 and 1.2 are accepted, with cipher suites that have authenticated encryption and forward secrecy (RFC 9325);
 * sessions are resumed; there is no renegotiation.
 */
public final class TlsServer implements Tls {
    private final TlsContexts sources;
    private final List<String> protocols;
    private final List<String> cipherSuites;
    private final List<String> applicationProtocols;
    private final ClientAuthentication clientAuthentication;
    private final Duration handshakeTimeout;
    private final EngineStatus chosenEngine;
    final ReloadableContext context;

    private TlsServer(Builder builder) throws IOException {
        sources = builder.sources;
        protocols = builder.protocols;
        cipherSuites = builder.cipherSuites;
        applicationProtocols = builder.applicationProtocols;
        clientAuthentication = builder.clientAuthentication;
        handshakeTimeout = builder.handshakeTimeout;
        chosenEngine = builder.engine.choose(sources, protocols);
        context = new ReloadableContext(sources, this::load);
    }

    /**
     * Returns settings with one certificate from PEM files.
     *
     * @param chain the file of the certificate, followed by those of its issuers up to, but without, the root
     * @param key the file of its private key: PKCS #8, or the older formats PKCS #1 (RSA) and SEC 1 (EC)
     * @return the settings
     * @throws IOException a file cannot be used: the message names the file, and what is wrong with it
     */
    public static TlsServer of(Path chain, Path key) throws IOException {
        return builder().certificate(chain, key).build();
    }

    /**
     * Returns a builder of settings.
     *
     * @return a builder without a certificate
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Reads the certificates and keys again. New handshakes use them at once; open connections are not affected. Earlier TLS
     * sessions are not resumed. If a file cannot be used, the old certificates stay in use. An expired certificate is used, and
     * logged as a warning.
     *
     * @throws IOException a file cannot be used: the message names the file, and what is wrong with it
     * @throws IllegalStateException the settings were made from a key store or an SSLContext, and have no file
     */
    public void reload() throws IOException {
        context.reload();
    }

    /**
     * Reads the certificates and keys again, as {@link #reload} does, if one of their files has changed since they were last read: its
     * size, its times, or its identity (inode), of what a symbolic link points to. A few system calls, if nothing has changed. If the
     * files could not be used, each call tries again: the reason may be one that passes, such as a lack of descriptors.
     *
     * @return true if they were read again; false if no file has changed, or they still cannot be used for the same reason
     * @throws IOException a changed file cannot be used, and the old certificates stay in use. Thrown once for each reason: the next call
     *     returns false, until the files can be used or the message is another one
     * @throws IllegalStateException the settings were made from a key store or an SSLContext, and have no file
     */
    public boolean reloadIfChanged() throws IOException {
        return context.reloadIfChanged();
    }

    /**
     * Starts to watch the files: calls {@link #reloadIfChanged} repeatedly, on a virtual thread. Also finds files that are replaced by
     * a rename, or through symbolic links, as Kubernetes replaces secrets.
     *
     * @param interval the time between checks
     * @param onReload called on that thread after each change: with null if the new certificates are in use, or with the reason why
     *     the old ones stay
     * @return the watch, which a close ends; otherwise it ends with the process
     * @throws IllegalArgumentException the interval is not positive
     * @throws IllegalStateException the settings were made from a key store or an SSLContext, and have no file
     */
    public FileWatch watchFiles(Duration interval, Consumer<? super @Nullable IOException> onReload) {
        return context.watch(interval, onReload);
    }

    private LoadedContext load() throws IOException {
        if (chosenEngine.name().equals(TlsEngineKind.OPENSSL.toString())) {
            return OpenSslContext.load(new OpenSslContext.Settings(sources, protocols, cipherSuites, applicationProtocols, true,
                    clientAuthentication));
        }
        SSLContext jdk = sources.create();
        SSLParameters parameters = TlsContexts.parameters(jdk, protocols, cipherSuites, applicationProtocols);
        switch (clientAuthentication) {
            case NONE -> {
                // The default.
            }
            case OPTIONAL -> parameters.setWantClientAuth(true);
            case REQUIRED -> parameters.setNeedClientAuth(true);
        }
        return new LoadedContext.Jdk(jdk, parameters);
    }

    @Override
    public Duration handshakeTimeout() {
        return handshakeTimeout;
    }

    /**
     * Returns the implementation of TLS that these settings use.
     *
     * @return its name, {@code jdk} or {@code openssl}, and as remark its version and why it was chosen
     */
    public EngineStatus chosenEngine() {
        return chosenEngine;
    }

    /** Returns an engine for a new connection. */
    TlsEngine engine(EngineBuffers buffers) throws IOException {
        while (true) {
            switch (context.current()) {
                case LoadedContext.Jdk(SSLContext jdk, SSLParameters parameters) -> {
                    SSLEngine engine = jdk.createSSLEngine();
                    engine.setUseClientMode(false);
                    engine.setSSLParameters(parameters);
                    return new JdkTlsEngine(engine);
                }
                case OpenSslContext.Lease lease -> {
                    MemoryBios bios = buffers.bios();
                    if (lease.context.retain()) { // otherwise it was just replaced
                        return OpenSslTlsEngine.ofServer(lease.context, bios);
                    }
                }
            }
        }
    }

    @Override
    public String toString() {
        return "TLS server with " + (sources.identities.isEmpty() ? "a key store or context" : sources.identities);
    }

    /** Builds {@link TlsServer} settings. Not thread-safe. */
    public static final class Builder {
        private TlsContexts sources = new TlsContexts();
        private List<String> protocols = TlsContexts.PROTOCOLS;
        private List<String> cipherSuites = TlsContexts.CIPHER_SUITES;
        private List<String> applicationProtocols = List.of();
        private ClientAuthentication clientAuthentication = ClientAuthentication.NONE;
        private Duration handshakeTimeout = Duration.ofSeconds(10);
        private TlsEngineKind engine = TlsEngineKind.AUTO;

        private Builder() {}

        /**
         * Adds a certificate from PEM files. A server with several chooses by the host name that the client asks for (SNI), which
         * must be among the certificate's DNS names. Clients that ask for no name or for another one get the first certificate.
         * A name may have two certificates with different kinds of keys.
         *
         * @param chain the file of the certificate, followed by those of its issuers
         * @param key the file of its private key
         * @return this builder
         */
        public Builder certificate(Path chain, Path key) {
            sources.identities
                    .add(new Identity.Files(chain, key, null));
            return this;
        }

        /**
         * Adds a certificate from PEM files with an encrypted key, otherwise like {@link #certificate(Path, Path)}.
         *
         * @param chain the file of the certificate, followed by those of its issuers
         * @param key the file of its private key, encrypted as PKCS #8 with PBES2
         * @param password the password of the key; copied, and kept for {@link #reload}
         * @return this builder
         */
        public Builder certificate(Path chain, Path key, char[] password) {
            sources.identities.add(new Identity.Files(chain, key, password));
            return this;
        }

        /**
         * Takes certificates and keys from a key store instead of files.
         *
         * @param keyStore the key store; of several certificates, SNI chooses
         * @param password the password of its keys; copied
         * @return this builder
         */
        public Builder keyStore(KeyStore keyStore, char[] password) {
            sources.keyStore = Objects.requireNonNull(keyStore, "keyStore");
            sources.keyStorePassword = password.clone();
            return this;
        }

        /**
         * Uses a context of the application, with its keys and trust, instead of files.
         *
         * @param context the context
         * @return this builder
         */
        public Builder context(SSLContext context) {
            sources.given = Objects.requireNonNull(context, "context");
            return this;
        }

        /**
         * Sets whether clients are asked for a certificate. The default is {@link ClientAuthentication#NONE}.
         *
         * @param mode whether a certificate is requested, and whether it is required
         * @param authorities a PEM file of the authorities whose certificates are trusted
         * @return this builder
         */
        public Builder clientAuthentication(ClientAuthentication mode, Path authorities) {
            clientAuthentication = Objects.requireNonNull(mode, "mode");
            sources.authorities = Objects.requireNonNull(authorities, "authorities");
            return this;
        }

        /**
         * Sets whether clients are asked for a certificate, which the {@linkplain #context context} then verifies.
         *
         * @param mode whether a certificate is requested, and whether it is required
         * @param authorities a trust store with the authorities whose certificates are trusted; null: those of the context, or of the
         *     JDK
         * @return this builder
         */
        public Builder clientAuthentication(ClientAuthentication mode, @Nullable KeyStore authorities) {
            clientAuthentication = Objects.requireNonNull(mode, "mode");
            sources.trustStore = authorities;
            return this;
        }

        /**
         * Sets the versions of TLS.
         *
         * @param protocols names as in {@code TLSv1.3}; the default is TLSv1.3 and TLSv1.2
         * @return this builder
         */
        public Builder protocols(String... protocols) {
            this.protocols = List.of(protocols);
            return this;
        }

        /**
         * Sets the cipher suites.
         *
         * @param cipherSuites IANA names in the order of preference; those that the engine does not have are skipped. By default
         *     the recommended ones of TLS 1.3, and of TLS 1.2 those with ECDHE and AES-GCM or ChaCha20
         * @return this builder
         */
        public Builder cipherSuites(String... cipherSuites) {
            this.cipherSuites = List.of(cipherSuites);
            return this;
        }

        /**
         * Sets the application protocols (ALPN). If a client offers some, and none of these, its handshake fails.
         *
         * @param protocols the protocols, in the order of preference, for instance {@code h2}; the default is none
         * @return this builder
         */
        public Builder applicationProtocols(String... protocols) {
            applicationProtocols = List.of(protocols);
            return this;
        }

        /**
         * Sets the source of randomness, for instance that of a device, or that of a simulated network. The default is the JDK's.
         *
         * @param random the source, used by all handshakes and never copied. A {@linkplain #context context} has its own
         * @return this builder
         */
        public Builder secureRandom(SecureRandom random) {
            sources.random = Objects.requireNonNull(random, "random");
            return this;
        }

        /**
         * Sets how long a handshake may take.
         *
         * @param timeout the time from the accepted TCP connection to the end of the handshake; zero: no limit. The default is 10 s. The time that
         *     it waits behind the handshakes of other connections does not count, up to four times the timeout
         * @return this builder
         * @throws IllegalArgumentException the timeout is negative
         */
        public Builder handshakeTimeout(Duration timeout) {
            handshakeTimeout = notNegative(timeout);
            return this;
        }

        /**
         * Sets the implementation of TLS. The default is {@link TlsEngineKind#AUTO}.
         *
         * @param engine the implementation
         * @return this builder
         */
        public Builder engine(TlsEngineKind engine) {
            this.engine = Objects.requireNonNull(engine, "engine");
            return this;
        }

        /**
         * Reads the files, and returns the settings.
         *
         * @return the settings; later changes of this builder do not affect them
         * @throws IllegalStateException there is neither a certificate, nor a key store, nor a context; or a context, or a key
         *     store, beside settings that it would replace; or a setting that the requested engine does not support
         * @throws io.trivet.net.UnavailableException {@link TlsEngineKind#OPENSSL} was requested and is not available: the message has
         *     the reason and the cure
         * @throws IllegalArgumentException the engine supports none of the versions or cipher suites
         * @throws IOException a file cannot be used: the message names the file, and what is wrong with it
         */
        public TlsServer build() throws IOException {
            if (sources.identities.isEmpty() && sources.keyStore == null && sources.given == null) {
                throw new IllegalStateException("a TLS server needs a certificate, a key store or a context");
            }
            sources.check();
            TlsServer server = new TlsServer(this);
            sources = sources.copy();
            return server;
        }
    }

    static Duration notNegative(Duration timeout) {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("the handshake timeout must not be negative: " + timeout);
        }
        return timeout;
    }
}
