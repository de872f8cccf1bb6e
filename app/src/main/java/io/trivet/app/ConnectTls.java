package io.trivet.app;

import io.trivet.tls.TlsClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

// @formatter:off: an attribute a line, an option a paragraph
/** The TLS options of {@code trivet connect}. */
final class ConnectTls {
    @Option(names = "--tls",
            description = "Connect with TLS. The server's certificate is verified, and its name must be HOST.")
    private boolean tls;

    @Option(names = "--tls-ca", paramLabel = "FILE", converter = PathText.class,
            description = "PEM file of the authorities that are trusted, or of the server's own certificate (default: those of the JDK).")
    private @Nullable Path authorities;

    @Option(names = "--tls-cert", paramLabel = "FILE", converter = PathText.class,
            description = "PEM file of this client's certificate, for servers that require one.")
    private @Nullable Path certificate;

    @Option(names = "--tls-key", paramLabel = "FILE", converter = PathText.class,
            description = "PEM file of the private key of --tls-cert.")
    private @Nullable Path key;

    @Option(names = "--tls-server-name", paramLabel = "NAME",
            description = "The name that the server's certificate must have, instead of HOST.")
    private @Nullable String serverName;

    @Mixin
    private TlsOptions shared = new TlsOptions();
    // @formatter:on

    /** Returns whether the name of the server has to come from its address. */
    boolean needsServerName() {
        return tls && serverName == null;
    }

    /** Returns the settings, or null for plaintext. */
    @Nullable
    TlsClient settings(picocli.CommandLine command, Duration handshakeTimeout) throws IOException {
        if (!tls) {
            if (authorities != null || certificate != null || key != null || serverName != null
                    || shared.areRequested()) {
                throw new ParameterException(command, "the options that begin with --tls- require --tls");
            }
            return null;
        }
        if ((certificate == null) != (key == null)) {
            throw new ParameterException(command, "--tls-cert and --tls-key are needed together");
        }
        if (shared.hasPassword() && key == null) {
            throw new ParameterException(command, "--tls-key-password-file requires --tls-key");
        }
        TlsClient.Builder builder = TlsClient.builder().handshakeTimeout(handshakeTimeout).engine(shared.engine())
                .applicationProtocols(shared.applicationProtocols());
        if (authorities != null) {
            builder.authorities(authorities);
        }
        if (certificate != null && key != null) {
            addCertificate(builder, certificate, key);
        }
        try {
            TlsClient client = builder.build();
            return serverName == null ? client : client.withServerName(serverName);
        } catch (IOException e) {
            throw shared.explained(e);
        }
    }

    private void addCertificate(TlsClient.Builder builder, Path own, Path ownKey) throws IOException {
        char[] password = shared.password();
        if (password == null) {
            builder.certificate(own, ownKey);
        } else {
            builder.certificate(own, ownKey, password);
            Arrays.fill(password, '\0');
        }
    }
}
