package io.trivet.app;

import io.trivet.tls.ClientAuthentication;
import io.trivet.tls.TlsEngineKind;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Help.Visibility;
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

    @Option(names = "--tls-reload-interval", paramLabel = "TIME", converter = DurationText.class,
            description = "Interval between checks whether the files of the other TLS options have changed or were replaced, and read them again "
                    + "if so. Without it, only on SIGHUP.")
    private @Nullable Duration reloadInterval;

    @Option(names = "--tls-engine", paramLabel = "ENGINE", converter = TlsEngineConverter.class, showDefaultValue = Visibility.NEVER,
            description = "auto, jdk or openssl (default: auto); 'trivet engines' shows which are available here.")
    private @Nullable TlsEngineKind engine;
    // @formatter:on

    boolean isRequested() {
        return certificate != null || key != null || clientAuthorities != null || reloadInterval != null || engine != null;
    }

    /** Returns the settings, or null for plaintext. */
    @Nullable
    TlsServer settings(picocli.CommandLine command) throws IOException {
        if (!isRequested()) {
            return null;
        }
        if (certificate == null || key == null) {
            throw new ParameterException(command, "--tls-cert and --tls-key are needed together"
                    + (clientAuthorities == null ? "" : ", also with --tls-client-ca")
                    + (reloadInterval == null ? "" : ", also with --tls-reload-interval")
                    + (engine == null ? "" : ", also with --tls-engine"));
        }
        if (reloadInterval != null && reloadInterval.isZero()) {
            throw new ParameterException(command, "--tls-reload-interval must be longer than 0");
        }
        TlsServer.Builder builder = TlsServer.builder().certificate(certificate, key)
                .engine(engine == null ? TlsEngineKind.AUTO : engine);
        if (clientAuthorities != null) {
            builder.clientAuthentication(ClientAuthentication.REQUIRED, clientAuthorities);
        }
        return builder.build();
    }

    /** Prints what clients find, and reads the files again on SIGHUP, and when they have changed, if that was asked for. */
    void start(TlsServer tls, PrintStream err) {
        err.println("TLS with the certificate " + certificate
                + (clientAuthorities == null ? "" : "; clients need one of " + clientAuthorities));
        err.println("TLS engine " + tls.chosenEngine().name() + ": " + tls.chosenEngine().remark());
        Signals.onHangUp(() -> reload(tls, err), err);
        if (reloadInterval != null) {
            tls.watchFiles(reloadInterval, failure -> report("the TLS files have changed", failure, err)); // until the process ends
        }
    }

    private void reload(TlsServer tls, PrintStream err) {
        try {
            tls.reload();
            report("SIGHUP", null, err);
        } catch (IOException e) {
            report("SIGHUP", e, err);
        }
    }

    private void report(String cause, @Nullable IOException failure, PrintStream err) {
        err.println(cause + (failure == null ? ": the certificate was read again from " + certificate
                : ": the certificate stays as it was: " + failure.getMessage()));
    }
}
