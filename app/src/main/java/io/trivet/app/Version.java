package io.trivet.app;

import io.trivet.net.EngineStatus;
import io.trivet.net.Network;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.IVersionProvider;

/** The output of {@code --version}: version and commit, as written by the build; the Java version; the engines. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        List<String> available = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (EngineStatus engine : Network.engines()) {
            (engine.available() ? available : missing).add(engine.name());
        }
        return new String[]{program(),
            "Java " + Runtime.version() + " (" + System.getProperty("java.vendor") + "), " + System.getProperty("java.home"),
            "engines " + String.join(", ", available)
                    + (missing.isEmpty() ? "" : "; not available: " + String.join(", ", missing))};
    }

    /** Returns name, version and commit: {@code trivet 0.1.0 (commit 0123456789ab)}. */
    static String program() {
        try (InputStream in = Version.class.getResourceAsStream("version.txt")) {
            if (in == null) {
                return "trivet, unknown version";
            }
            String[] lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n", -1);
            return "trivet " + lines[0] + " (commit " + lines[1] + ")";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
