package io.trivet.tls;

import io.trivet.openssl.ErrorQueue;
import io.trivet.openssl.HandshakeCallbacks;
import io.trivet.openssl.HandshakeChoices;
import io.trivet.openssl.Libcrypto;
import io.trivet.openssl.LibsslContext;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The certificates and settings of a server or client, as OpenSSL needs them: an SSL_CTX for each choice of certificates that a host name
 * can lead to. Immutable. Any thread.
 *
 * <p>It is freed when the settings no longer refer to it and its last connection was closed. Settings refer to it by a {@link Lease}, and
 * connections by {@link #retain} and {@link #release}.
 */
final class OpenSslContext {
    /** Frees contexts whose settings are no longer reachable. */
    private static final Cleaner CLEANER = Cleaner.create();

    final boolean isServer;
    /** Whether clients are asked for certificates. */
    final ClientAuthentication clientAuthentication;
    /** Of a client. */
    final OpenSslSessions sessions = new OpenSslSessions();
    private final List<String> applicationProtocols;
    private final List<Identity> identities = new ArrayList<>();
    private final List<NativeIdentity> nativeIdentities = new ArrayList<>();
    /** The contexts by the identities that they have, as indices. */
    private final Map<List<Integer>, Long> contexts = new HashMap<>();
    private final AtomicInteger references = new AtomicInteger(1);
    private final Suites suites;
    private final int versionMin;
    private final int versionMax;
    private long store;
    private long choices;
    private long base;

    /** The objects of a certificate chain and its key. */
    private record NativeIdentity(List<Long> chain, long key) {
        void free() {
            chain.forEach(Libcrypto::freeCertificate);
            Libcrypto.freeKey(key);
        }
    }

    /** OpenSSL's names of cipher suites. */
    private record Suites(List<String> tls12, List<String> tls13) {}

    /** Keeps a context for settings, until it is closed or unreachable. */
    static final class Lease implements LoadedContext {
        final OpenSslContext context;
        private final Cleaner.Cleanable cleanable;

        Lease(OpenSslContext context) {
            this.context = context;
            cleanable = CLEANER.register(this, context::release);
        }

        /** Ends the lease. Connections keep the context. */
        @Override
        public void close() {
            cleanable.clean();
        }
    }

    /** The settings of all contexts. */
    record Settings(TlsContexts sources, List<String> protocols, List<String> cipherSuites, List<String> applicationProtocols,
            boolean isServer, ClientAuthentication clientAuthentication) {}

    private OpenSslContext(Settings settings) {
        isServer = settings.isServer;
        clientAuthentication = settings.clientAuthentication;
        applicationProtocols = settings.applicationProtocols;
        suites = suites(settings.cipherSuites, settings.protocols);
        boolean has12 = !suites.tls12.isEmpty();
        boolean has13 = !suites.tls13.isEmpty();
        if (!has12 && !has13) {
            throw new IllegalArgumentException("OpenSSL supports none of " + settings.protocols + ", or none of "
                    + settings.cipherSuites);
        }
        versionMin = has12 ? LibsslContext.TLS1_2_VERSION : LibsslContext.TLS1_3_VERSION;
        versionMax = has13 ? LibsslContext.TLS1_3_VERSION : LibsslContext.TLS1_2_VERSION;
    }

    /**
     * Loads certificates and keys, and makes contexts of them.
     *
     * @throws IOException a file cannot be used
     * @throws IllegalArgumentException OpenSSL supports none of the versions, or none of the cipher suites
     */
    static Lease load(Settings settings) throws IOException {
        OpenSslContext context = new OpenSslContext(settings);
        try {
            context.loadAll(settings);
            return new Lease(context);
        } catch (IOException | RuntimeException | Error e) {
            context.release();
            throw e;
        }
    }

    private static Suites suites(List<String> wanted, List<String> protocols) {
        Map<String, String> known = LibsslContext.cipherSuites();
        List<String> tls12 = new ArrayList<>();
        List<String> tls13 = new ArrayList<>();
        for (String name : wanted) {
            String itsName = known.get(name);
            if (itsName != null) {
                (itsName.equals(name) ? tls13 : tls12).add(itsName);
            }
        }
        return new Suites(protocols.contains("TLSv1.2") ? tls12 : List.of(), protocols.contains("TLSv1.3") ? tls13 : List.of());
    }

    private void loadAll(Settings settings) throws IOException {
        ErrorQueue.clear();
        for (Identity.Files files : settings.sources.identities) {
            Identity identity = Identity.load(files);
            identities.add(identity);
            nativeIdentities.add(nativeIdentity(identity, files));
        }
        boolean verifies = !isServer || clientAuthentication != ClientAuthentication.NONE;
        List<X509Certificate> trusted = verifies ? trusted(settings.sources) : List.of();
        store = verifies ? store(trusted) : 0;
        if (isServer) {
            choices = HandshakeCallbacks.register(new Choices());
        }
        base = contextOf(isServer ? chosen(null) : firstOfEachKind(identities), trusted);
        if (isServer) {
            for (Identity identity : identities) {
                for (String name : identity.names()) {
                    contextOf(chosen(name.startsWith("*.") ? "?" + name.substring(1) : name), trusted);
                }
            }
        }
    }

    private static NativeIdentity nativeIdentity(Identity identity, Identity.Files files) throws IOException {
        List<Long> chain = new ArrayList<>();
        byte[] encoded = identity.key.getEncoded();
        long key = encoded == null ? 0 : Libcrypto.privateKey(encoded);
        if (encoded != null) {
            Arrays.fill(encoded, (byte) 0);
        }
        NativeIdentity result = new NativeIdentity(chain, key);
        try {
            for (X509Certificate certificate : identity.chain) {
                chain.add(Libcrypto.certificate(certificate.getEncoded()));
            }
        } catch (GeneralSecurityException e) {
            result.free();
            throw new TlsException(files + ": a certificate cannot be encoded: " + e.getMessage(), e);
        }
        if (key == 0 || chain.contains(0L)) {
            result.free();
            throw new TlsException(files + " cannot be used by OpenSSL: " + ErrorQueue.take(), null);
        }
        return result;
    }

    private static List<X509Certificate> trusted(TlsContexts sources) throws IOException {
        try {
            return sources.trustedCertificates();
        } catch (GeneralSecurityException e) {
            throw new TlsException("the trust store cannot be used: " + e.getMessage(), e);
        }
    }

    private static long store(List<X509Certificate> trusted) throws IOException {
        long store = Libcrypto.newStore();
        for (X509Certificate certificate : trusted) {
            use(certificate, x509 -> Libcrypto.addTrusted(store, x509));
        }
        return store;
    }

    private interface CertificateUse {
        void accept(long certificate);
    }

    /** Calls a function with a certificate as an X509. Of the JDK's authorities, one that OpenSSL cannot decode is left out. */
    private static void use(X509Certificate certificate, CertificateUse function) throws IOException {
        try {
            long x509 = Libcrypto.certificate(certificate.getEncoded());
            if (x509 != 0) {
                function.accept(x509);
                Libcrypto.freeCertificate(x509);
            }
            ErrorQueue.clear();
        } catch (GeneralSecurityException e) {
            throw new TlsException("an authority's certificate cannot be encoded: " + e.getMessage(), e);
        }
    }

    private long contextOf(List<Integer> chosen, List<X509Certificate> authorities) throws IOException {
        Long known = contexts.get(chosen);
        if (known != null) {
            return known;
        }
        long context = LibsslContext.newContext(isServer);
        if (context == 0) {
            throw new TlsException("OpenSSL cannot make a context: " + ErrorQueue.take(), null);
        }
        contexts.put(chosen, context);
        boolean isSet = LibsslContext.setVersions(context, versionMin, versionMax)
                && (suites.tls12.isEmpty() || LibsslContext.setCipherList(context, suites.tls12))
                && LibsslContext.setCipherSuites(context, suites.tls13)
                && (isServer || applicationProtocols.isEmpty()
                        || LibsslContext.setApplicationProtocols(context, applicationProtocols));
        if (!isSet) {
            throw new TlsException("OpenSSL refuses the settings: " + ErrorQueue.take(), null);
        }
        for (int index : chosen) {
            NativeIdentity identity = nativeIdentities.get(index);
            if (!LibsslContext.addIdentity(context, identity.chain, identity.key)) {
                throw new TlsException("OpenSSL refuses the certificate or key of "
                        + identities.get(index).chain[0].getSubjectX500Principal() + ": " + ErrorQueue.take()
                        + ". The engine jdk may accept it", null);
            }
        }
        if (isServer) {
            LibsslContext.setChoices(context, choices, !applicationProtocols.isEmpty());
        }
        if (store != 0) {
            LibsslContext.setVerification(context, verificationMode(), store);
        }
        if (isServer && clientAuthentication != ClientAuthentication.NONE) {
            for (X509Certificate authority : authorities) {
                use(authority, x509 -> LibsslContext.addClientAuthority(context, x509));
            }
        }
        return context;
    }

    private int verificationMode() {
        return isServer && clientAuthentication == ClientAuthentication.REQUIRED
                ? LibsslContext.SSL_VERIFY_PEER | LibsslContext.SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                : LibsslContext.SSL_VERIFY_PEER;
    }

    /**
     * Returns the identities of a server for a host name, as indices: of those that are valid for it, the first one with each kind of
     * key. For no name or an unknown one, the first identity, and those with the same names.
     */
    private List<Integer> chosen(@Nullable String serverName) {
        List<Identity> matching = serverName == null ? List.of()
                : identities.stream().filter(identity -> identity.matches(serverName)).toList();
        if (matching.isEmpty()) {
            matching = identities.stream()
                    .filter(identity -> identity == identities.getFirst() || identity.hasSameNames(identities.getFirst()))
                    .toList();
        }
        return firstOfEachKind(matching);
    }

    private List<Integer> firstOfEachKind(List<Identity> candidates) {
        Map<String, Integer> byKind = new HashMap<>();
        for (Identity candidate : candidates) {
            byKind.putIfAbsent(candidate.key.getAlgorithm(), identities.indexOf(candidate));
        }
        return byKind.values().stream().sorted().toList();
    }

    /** What OpenSSL asks within a handshake. */
    private final class Choices implements HandshakeChoices {
        @Override
        public long context(@Nullable String serverName) {
            return identities.size() == 1 ? 0 : contexts.getOrDefault(chosen(serverName), 0L);
        }

        @Override
        public @Nullable String applicationProtocol(List<String> offered) {
            return applicationProtocols.stream().filter(offered::contains).findFirst().orElse(null);
        }
    }

    /** Returns the SSL_CTX of a new connection. The caller has retained this object. */
    long base() {
        return base;
    }

    /** Adds a reference. Returns false if the context was freed: the settings have a newer one. */
    boolean retain() {
        for (int count = references.get(); count > 0; count = references.get()) {
            if (references.compareAndSet(count, count + 1)) {
                return true;
            }
        }
        return false;
    }

    /** Removes a reference, and frees the context if it was the last one. */
    void release() {
        if (references.decrementAndGet() == 0) {
            sessions.close();
            contexts.values().forEach(LibsslContext::free);
            nativeIdentities.forEach(NativeIdentity::free);
            Libcrypto.freeStore(store);
            HandshakeCallbacks.remove(choices);
        }
    }

    /** For tests: returns false if the context was freed. */
    boolean isLive() {
        return references.get() > 0;
    }
}
