package io.trivet.app;

import io.trivet.tls.ClientAuthentication;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

// @formatter:off: an attribute a line, an option a paragraph
/** The TLS options of {@code trivet serve}. */
final class ServeTls {
    @Option(names = "--tls-cert", paramLabel = "FILE", converter = PathText.class, showDefaultValue = Visibility.NEVER,
            description = "Serve with TLS: a PEM file of the certificate, followed by those of its issuers. SIGHUP reads it and the key "
                    + "again; a file that cannot be used then changes nothing. May be repeated with --tls-key: then the name that a client asks for "
                    + "(SNI) chooses the certificate; if none has that name, it is the first.")
    private List<Path> certificates = new ArrayList<>();

    @Option(names = "--tls-key", paramLabel = "FILE", converter = PathText.class, showDefaultValue = Visibility.NEVER,
            description = "PEM file of the certificate's private key. If --tls-cert is repeated, one for each, in the same order.")
    private List<Path> keys = new ArrayList<>();

    @Option(names = "--tls-client-ca", paramLabel = "FILE", converter = PathText.class,
            description = "Require a certificate from each client (mutual TLS): a PEM file of the authorities that are trusted.")
    private @Nullable Path clientAuthorities;

    @Option(names = "--tls-reload-interval", paramLabel = "TIME", converter = DurationText.class,
            description = "Interval between checks whether the files of the other TLS options have changed or were replaced, and read them again "
                    + "if so. Without it, only on SIGHUP.")
    private @Nullable Duration reloadInterval;

    @Mixin
    private TlsOptions shared = new TlsOptions();
    // @formatter:on

    boolean isRequested() {
        return !certificates.isEmpty() || !keys.isEmpty() || clientAuthorities != null || reloadInterval != null
                || shared.areRequested();
    }

    /** Returns the settings, or null for plaintext. */
    @Nullable
    TlsServer settings(picocli.CommandLine command) throws IOException {
        if (!isRequested()) {
            return null;
        }
        if (certificates.isEmpty() || keys.isEmpty()) {
            throw new ParameterException(command,
                    "--tls-cert and --tls-key are needed together, also with any other option of TLS");
        }
        if (certificates.size() != keys.size()) {
            throw new ParameterException(command, "--tls-cert and --tls-key are needed in pairs, not " + certificates.size()
                    + " of one and " + keys.size() + " of the other");
        }
        if (reloadInterval != null && reloadInterval.isZero()) {
            throw new ParameterException(command, "--tls-reload-interval must be longer than 0");
        }
        TlsServer.Builder builder = TlsServer.builder().engine(shared.engine())
                .applicationProtocols(shared.applicationProtocols());
        addCertificates(builder);
        if (clientAuthorities != null) {
            builder.clientAuthentication(ClientAuthentication.REQUIRED, clientAuthorities);
        }
        try {
            return builder.build();
        } catch (IOException e) {
            throw shared.explained(e);
        }
    }

    private void addCertificates(TlsServer.Builder builder) throws IOException {
        char[] password = shared.password();
        for (int i = 0; i < keys.size(); i++) {
            if (password == null) {
                builder.certificate(certificates.get(i), keys.get(i));
            } else {
                builder.certificate(certificates.get(i), keys.get(i), password);
            }
        }
        if (password != null) {
            Arrays.fill(password, '\0');
        }
    }

    private String names() {
        return certificates.stream().map(Path::toString).collect(Collectors.joining(", "));
    }

    /** Prints what clients find, and reads the files again on SIGHUP, and when they have changed, if that was asked for. */
    void start(TlsServer tls, PrintStream err) {
        err.println("TLS with the certificate " + names()
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
        err.println(cause + (failure == null ? ": the certificate was read again from " + names()
                : ": the certificate stays as it was: " + failure.getMessage()));
    }
}
