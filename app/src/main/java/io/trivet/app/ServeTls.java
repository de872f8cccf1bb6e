package io.trivet.app;

import io.trivet.tls.ClientAuthentication;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

// @formatter:off: an attribute a line, an option a paragraph
/** The TLS options of {@code trivet serve}. */
final class ServeTls {
    @Option(names = "--tls-cert", paramLabel = "FILE", converter = PathText.class,
            description = "Serve with TLS: a PEM file of the certificate, followed by those of its issuers. SIGHUP reads it and the key "
                    + "again; a file that cannot be used then changes nothing.")
    private @Nullable Path certificate;

    @Option(names = "--tls-key", paramLabel = "FILE", converter = PathText.class,
            description = "PEM file of the certificate's private key, not encrypted.")
    private @Nullable Path key;

    @Option(names = "--tls-client-ca", paramLabel = "FILE", converter = PathText.class,
            description = "Require a certificate from each client (mutual TLS): a PEM file of the authorities that are trusted.")
    private @Nullable Path clientAuthorities;
    // @formatter:on

    boolean isRequested() {
        return certificate != null || key != null || clientAuthorities != null;
    }

    /** Returns the settings, or null for plaintext. */
    @Nullable
    TlsServer settings(picocli.CommandLine command) throws IOException {
        if (!isRequested()) {
            return null;
        }
        if (certificate == null || key == null) {
            throw new ParameterException(command, "--tls-cert and --tls-key are needed together"
                    + (clientAuthorities == null ? "" : ", also with --tls-client-ca"));
        }
        TlsServer.Builder builder = TlsServer.builder().certificate(certificate, key);
        if (clientAuthorities != null) {
            builder.clientAuthentication(ClientAuthentication.REQUIRED, clientAuthorities);
        }
        return builder.build();
    }

    /** Prints what clients find, and reads the files again on SIGHUP. */
    void start(TlsServer tls, PrintStream err) {
        err.println("TLS with the certificate " + certificate
                + (clientAuthorities == null ? "" : "; clients need one of " + clientAuthorities));
        Signals.onHangUp(() -> reload(tls, err), err);
    }

    private void reload(TlsServer tls, PrintStream err) {
        try {
            tls.reload();
            err.println("SIGHUP: the certificate was read again from " + certificate);
        } catch (IOException e) {
            err.println("SIGHUP: the certificate stays as it was: " + e.getMessage());
        }
    }
}
