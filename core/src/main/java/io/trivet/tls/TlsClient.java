package io.trivet.tls;

import io.trivet.net.EngineStatus;
import io.trivet.openssl.MemoryBios;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * The TLS settings of outgoing connections: which authorities are trusted, and the client's own certificate, if it has one. The
 * settings do not change, but the certificates can be {@linkplain #reload reloaded}. Any thread.
 *
 * <p>The server's certificate is verified, and it must be for the host name of the address that was connected to (RFC 9525), or for
 * the name that {@link #withServerName} sets.
 */
public final class TlsClient implements Tls {
    final Settings settings;
    private final @Nullable String serverName;

    /** What copies with another server name share. */
    static final class Settings {
        final TlsContexts sources;
        final List<String> protocols;
        final List<String> cipherSuites;
        final List<String> applicationProtocols;
        final boolean verifiesHostName;
        final Duration handshakeTimeout;
        final EngineStatus chosenEngine;
        final ReloadableContext context;

        Settings(Builder builder) throws IOException {
            sources = builder.sources;
            protocols = builder.protocols;
            cipherSuites = builder.cipherSuites;
            applicationProtocols = builder.applicationProtocols;
            verifiesHostName = builder.verifiesHostName;
            handshakeTimeout = builder.handshakeTimeout;
            chosenEngine = builder.engine.choose(sources, protocols);
            context = new ReloadableContext(sources, this::load);
        }

        private LoadedContext load() throws IOException {
            if (chosenEngine.name().equals(TlsEngineKind.OPENSSL.toString())) {
                return OpenSslContext
                        .load(new OpenSslContext.Settings(sources, protocols, cipherSuites, applicationProtocols, false,
                                ClientAuthentication.NONE));
            }
            SSLContext jdk = sources.create();
            return new LoadedContext.Jdk(jdk, parameters(jdk));
        }

        SSLParameters parameters(SSLContext of) {
            return TlsContexts.parameters(of, protocols, cipherSuites, applicationProtocols);
        }
    }

    private TlsClient(Settings settings, @Nullable String serverName) {
        this.settings = settings;
        this.serverName = serverName;
    }

    /**
     * Returns a builder of settings.
     *
     * @return a builder that trusts the JDK's authorities, and has no certificate
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns a copy for servers with another name than that of their address. The copy shares its sessions with this object.
     *
     * @param name the name that the client asks for (SNI), and that the certificate must have; or an IP address
     * @return the copy
     */
    public TlsClient withServerName(String name) {
        return new TlsClient(settings, Objects.requireNonNull(name, "name"));
    }

    /**
     * Returns the server's name, if it is not that of its address.
     *
     * @return the name, or null
     */
    public @Nullable String serverName() {
        return serverName;
    }

    /**
     * Reads the files of the authorities, the certificate and the key again. New handshakes use them at once; open connections are
     * not affected. If a file cannot be used, the old certificates stay in use.
     *
     * @throws IOException a file cannot be used: the message names the file, and what is wrong with it
     * @throws IllegalStateException the settings have no file
     */
    public void reload() throws IOException {
        settings.context.reload();
    }

    /**
     * Reads the authorities, the certificate and the key again, as {@link #reload} does, if one of their files has changed since they
     * were last read, otherwise like {@link TlsServer#reloadIfChanged}. Copies with another server name share what was read.
     *
     * @return true if they were read again; false if no file has changed, or they still cannot be used for the same reason
     * @throws IOException a changed file cannot be used, and the old certificates stay in use. Thrown once for each reason: the next call
     *     returns false, until the files can be used or the message is another one
     * @throws IllegalStateException the settings have no file
     */
    public boolean reloadIfChanged() throws IOException {
        return settings.context.reloadIfChanged();
    }

    /**
     * Starts to watch the files: calls {@link #reloadIfChanged} repeatedly, on a virtual thread. For programs that run long and whose
     * certificate is short-lived, or whose authorities change. Also finds files that are replaced by a rename, or through symbolic links.
     *
     * @param interval the time between checks
     * @param onReload called on that thread after each change: with null if the new files are in use, or with the reason why the old
     *     ones stay
     * @return the watch, which a close ends; otherwise it ends with the process
     * @throws IllegalArgumentException the interval is not positive
     * @throws IllegalStateException the settings have no file
     */
    public FileWatch watchFiles(Duration interval, Consumer<? super @Nullable IOException> onReload) {
        return settings.context.watch(interval, onReload);
    }

    @Override
    public Duration handshakeTimeout() {
        return settings.handshakeTimeout;
    }

    /**
     * Returns the implementation of TLS that these settings use.
     *
     * @return its name, {@code jdk} or {@code openssl}, and as remark its version and why it was chosen
     */
    public EngineStatus chosenEngine() {
        return settings.chosenEngine;
    }

    /**
     * Returns an engine for a new connection.
     *
     * @param host the name or address of the server, unless these settings have one
     * @param port its port: sessions are resumed with the same host and port
     */
    TlsEngine engine(String host, int port, EngineBuffers buffers) throws IOException {
        String name = serverName == null ? host : serverName;
        SNIHostName hostName = isAddress(name) ? null : hostName(name);
        while (true) {
            switch (settings.context.current()) {
                case LoadedContext.Jdk jdk -> {
                    return jdkEngine(jdk.context(), name, port, hostName);
                }
                case OpenSslContext.Lease lease -> {
                    MemoryBios bios = buffers.bios();
                    if (lease.context.retain()) { // otherwise it was just replaced
                        return OpenSslTlsEngine.ofClient(lease.context, bios,
                                hostName == null ? name : hostName.getAsciiName(), hostName != null, settings.verifiesHostName,
                                port);
                    }
                }
            }
        }
    }

    private TlsEngine jdkEngine(SSLContext context, String name, int port, @Nullable SNIHostName hostName) throws IOException {
        SSLEngine engine = context.createSSLEngine(name, port);
        engine.setUseClientMode(true);
        SSLParameters parameters = settings.parameters(context);
        if (settings.verifiesHostName) {
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
        }
        if (hostName != null) {
            parameters.setServerNames(List.of(hostName));
        }
        engine.setSSLParameters(parameters);
        return new JdkTlsEngine(engine);
    }

    private static SNIHostName hostName(String name) throws TlsException {
        try {
            return new SNIHostName(name);
        } catch (IllegalArgumentException e) {
            throw new TlsException("\"" + name + "\" is no host name that TLS can ask for", e);
        }
    }

    private static boolean isAddress(String name) {
        try {
            InetAddress.ofLiteral(name);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    @Override
    public String toString() {
        return "TLS client" + (serverName == null ? "" : " of " + serverName);
    }

    /** Builds {@link TlsClient} settings. Not thread-safe. */
    public static final class Builder {
        private TlsContexts sources = new TlsContexts();
        private List<String> protocols = TlsContexts.PROTOCOLS;
        private List<String> cipherSuites = TlsContexts.CIPHER_SUITES;
        private List<String> applicationProtocols = List.of();
        private boolean verifiesHostName = true;
        private Duration handshakeTimeout = Duration.ofSeconds(10);
        private TlsEngineKind engine = TlsEngineKind.AUTO;

        private Builder() {}

        /**
         * Sets which authorities are trusted.
         *
         * @param authorities a PEM file of their certificates; by default those of the JDK
         * @return this builder
         */
        public Builder authorities(Path authorities) {
            sources.authorities = Objects.requireNonNull(authorities, "authorities");
            return this;
        }

        /**
         * Sets which authorities are trusted.
         *
         * @param authorities a trust store
         * @return this builder
         */
        public Builder authorities(KeyStore authorities) {
            sources.trustStore = Objects.requireNonNull(authorities, "authorities");
            return this;
        }

        /**
         * Sets the client's own certificate, for servers that ask for one (mutual TLS).
         *
         * @param chain the PEM file of the certificate, followed by those of its issuers
         * @param key the PEM file of its private key
         * @return this builder
         */
        public Builder certificate(Path chain, Path key) {
            sources.identities
                    .add(new Identity.Files(chain, key, null));
            return this;
        }

        /**
         * Sets the client's own certificate with an encrypted key.
         *
         * @param chain the PEM file of the certificate, followed by those of its issuers
         * @param key the PEM file of its private key, encrypted as PKCS #8 with PBES2
         * @param password the password of the key; copied, and kept for {@link #reload}
         * @return this builder
         */
        public Builder certificate(Path chain, Path key, char[] password) {
            sources.identities.add(new Identity.Files(chain, key, password));
            return this;
        }

        /**
         * Takes the client's own certificate from a key store.
         *
         * @param keyStore the key store
         * @param password the password of its keys; copied
         * @return this builder
         */
        public Builder keyStore(KeyStore keyStore, char[] password) {
            sources.keyStore = Objects.requireNonNull(keyStore, "keyStore");
            sources.keyStorePassword = password.clone();
            return this;
        }

        /**
         * Uses a context of the application, with its keys and trust.
         *
         * @param context the context
         * @return this builder
         */
        public Builder context(SSLContext context) {
            sources.given = Objects.requireNonNull(context, "context");
            return this;
        }

        /**
         * Accepts any certificate of a trusted authority, whatever name it is for. <b>Not secure</b>: any holder of a certificate
         * for another name can pose as the server. Use it only with an authority that issues certificates for a single service.
         *
         * @return this builder
         */
        public Builder withoutHostNameVerification() {
            verifiesHostName = false;
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
         * @param cipherSuites IANA names in the order of preference; by default the recommended ones
         * @return this builder
         */
        public Builder cipherSuites(String... cipherSuites) {
            this.cipherSuites = List.of(cipherSuites);
            return this;
        }

        /**
         * Sets the application protocols that are offered (ALPN).
         *
         * @param protocols the protocols, in the order of preference; the default is none
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
         * @param timeout the time from the established TCP connection to the end of the handshake; zero: no limit. The default is
         *     10 s
         * @return this builder
         * @throws IllegalArgumentException the timeout is negative
         */
        public Builder handshakeTimeout(Duration timeout) {
            handshakeTimeout = TlsServer.notNegative(timeout);
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
         * @throws IllegalStateException a context, or a key store, beside settings that it would replace; or a setting that the requested engine does not support
         * @throws io.trivet.net.UnavailableException {@link TlsEngineKind#OPENSSL} was requested and is not available: the message has
         *     the reason and the cure
         * @throws IllegalArgumentException the engine supports none of the versions or cipher suites
         * @throws IOException a file cannot be used: the message names the file, and what is wrong with it
         */
        public TlsClient build() throws IOException {
            sources.check();
            TlsClient client = new TlsClient(new Settings(this), null);
            sources = sources.copy();
            return client;
        }
    }
}
