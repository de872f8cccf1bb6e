package io.trivet.bench;

import io.trivet.server.Framing;
import io.trivet.server.Server;
import io.trivet.tls.TlsEngineKind;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Locale;

/** Trivet with one loop, echoing over TLS. */
public final class TrivetTlsPeer {
    private TrivetTlsPeer() {}

    /** Arguments: the port, the TLS engine, and the files with the certificate and its key. */
    static void main(String[] args) throws IOException, InterruptedException {
        TlsServer tls = TlsServer.builder()
                .certificate(Path.of(args[2]), Path.of(args[3]))
                .engine(TlsEngineKind.valueOf(args[1].toUpperCase(Locale.ROOT)))
                .build();
        try (Server server = Server.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0])))
                .tls(tls)
                .framing(Framing.raw())
                .handler((connection, message) -> connection.send(message))
                .start()) {
            Probe.start();
            server.join();
        }
    }
}
