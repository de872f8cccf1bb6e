package io.trivet.tls;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Chooses one of several identities: for a server by the host name that the client has asked for (SNI), for a client by what the
 * server accepts. An alias is the index of an identity.
 */
final class IdentityByName extends X509ExtendedKeyManager {
    private final List<Identity> identities;

    /**
     * Creates a chooser.
     *
     * @param identities the identities. A server uses the first one for clients that ask for no name or for an unknown one
     */
    IdentityByName(List<Identity> identities) {
        this.identities = List.copyOf(identities);
    }

    @Override
    public @Nullable String chooseEngineServerAlias(String keyType, Principal @Nullable [] issuers, SSLEngine engine) {
        String name = engine.getHandshakeSession() instanceof ExtendedSSLSession session
                ? requestedName(session.getRequestedServerNames())
                : null;
        boolean isKnown = name != null && identities.stream().anyMatch(identity -> identity.matches(name));
        for (int i = 0; i < identities.size(); i++) {
            Identity identity = identities.get(i);
            boolean isCandidate = (name != null && isKnown) ? identity.matches(name) : sharesNames(i);
            if (isCandidate && identity.key.getAlgorithm().equals(keyType)) {
                return String.valueOf(i);
            }
        }
        return null;
    }

    /** Returns true for the first identity, and for those with the same name but another kind of key. */
    private boolean sharesNames(int index) {
        return index == 0 || identities.get(index).hasSameNames(identities.getFirst());
    }

    private static @Nullable String requestedName(List<SNIServerName> names) {
        for (SNIServerName name : names) {
            if (name instanceof SNIHostName host) {
                return host.getAsciiName();
            }
        }
        return null;
    }

    @Override
    public @Nullable String chooseEngineClientAlias(String[] keyTypes, Principal @Nullable [] issuers, SSLEngine engine) {
        for (String keyType : keyTypes) {
            for (int i = 0; i < identities.size(); i++) {
                if (identities.get(i).key.getAlgorithm().equals(keyType)) {
                    return String.valueOf(i);
                }
            }
        }
        return null;
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(@Nullable String alias) {
        return alias == null ? null : identities.get(Integer.parseInt(alias)).chain.clone();
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(@Nullable String alias) {
        return alias == null ? null : identities.get(Integer.parseInt(alias)).key;
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return aliases(keyType);
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return aliases(keyType);
    }

    private String @Nullable [] aliases(String keyType) {
        List<String> aliases = new java.util.ArrayList<>();
        for (int i = 0; i < identities.size(); i++) {
            if (identities.get(i).key.getAlgorithm().equals(keyType)) {
                aliases.add(String.valueOf(i));
            }
        }
        return aliases.isEmpty() ? null : aliases.toArray(String[]::new);
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null; // sockets of the JDK are not used
    }

    @Override
    public @Nullable String chooseClientAlias(String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null; // sockets of the JDK are not used
    }
}
