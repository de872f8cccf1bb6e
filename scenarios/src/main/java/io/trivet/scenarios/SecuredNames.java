package io.trivet.scenarios;

import io.trivet.tls.TlsEngineKind;
import io.trivet.tls.TlsInfo;
import io.trivet.tls.TlsServer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/** The application protocols that both sides of a TLS connection offer, and the host name that the client asks for. */
final class SecuredNames {
    private static final List<String> PROTOCOLS = List.of("h2", "http/1.1", "trivet", "x");

    private final List<String> ofServer;
    private final List<String> ofClient;
    private final @Nullable String host;

    SecuredNames(SeededRandom random) {
        ofServer = random.chance(50) ? List.of() : draw(random);
        ofClient = random.chance(40) ? List.of() : draw(random);
        host = random.chance(40) ? "sim.test" : null;
        if (!ofServer.isEmpty() && !ofClient.isEmpty() && expectedProtocol() == null) {
            ofClient.add(ofServer.get(random.below(ofServer.size()))); // without a common one the handshake would fail
        }
    }

    private static List<String> draw(SeededRandom random) {
        List<String> drawn = new ArrayList<>();
        int first = random.below(PROTOCOLS.size());
        for (int i = random.between(1, 3); i > 0; i--) {
            drawn.add(PROTOCOLS.get((first + i) % PROTOCOLS.size()));
        }
        return drawn;
    }

    /** Returns the first protocol of the server that the client offers, too. */
    private @Nullable String expectedProtocol() {
        for (String each : ofServer) {
            if (ofClient.contains(each)) {
                return each;
            }
        }
        return null;
    }

    TlsServer.Builder addTo(TlsServer.Builder builder) {
        return ofServer.isEmpty() ? builder : builder.applicationProtocols(ofServer.toArray(String[]::new));
    }

    void addTo(SSLEngine engine) {
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setApplicationProtocols(ofClient.toArray(String[]::new));
        if (host != null) {
            parameters.setServerNames(List.of(new SNIHostName(host)));
        }
        engine.setSSLParameters(parameters);
    }

    /** Checks what a connection reports after the handshake. */
    void check(TrialRun run, @Nullable TlsInfo info, SSLEngine client) {
        if (info == null) {
            run.fail(Rule.GAUGES, "the connection reports no TLS");
            return;
        }
        run.same(Rule.GAUGES, "the engine of TLS", info.engine(), TlsEngineKind.JDK);
        run.same(Rule.GAUGES, "the version of TLS", info.protocol(), client.getSession().getProtocol());
        run.same(Rule.GAUGES, "the cipher suite", info.cipherSuite(), client.getSession().getCipherSuite());
        String chosen = client.getApplicationProtocol();
        run.expect(Rule.GAUGES, Objects.equals(info.applicationProtocol(), expectedProtocol())
                && Objects.equals(expectedProtocol(), chosen == null || chosen.isEmpty() ? null : chosen),
                "the application protocol of " + ofServer + " and " + ofClient + " is " + info.applicationProtocol()
                        + ", and for the client " + chosen);
        run.same(Rule.GAUGES, "the host name that the client asked for", String.valueOf(info.serverName()), String.valueOf(host));
        run.same(Rule.GAUGES, "the certificates of the client", info.peerCertificates(), List.of());
    }
}
