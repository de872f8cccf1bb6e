package io.trivet.app;

import io.trivet.net.EngineStatus;
import io.trivet.net.Network;
import io.trivet.tls.TlsEngineKind;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

// @formatter:off: an attribute a line
/** {@code trivet engines}. */
@Command(name = "engines", mixinStandardHelpOptions = true, versionProvider = Version.class,
        description = "Lists the engines for sockets and for TLS: which are available here, and for the others the reason and the cure.")
// @formatter:on
final class Engines implements Callable<Integer> {
    private static final int TLS_NAME_CHARS = 13;

    @Override
    public Integer call() {
        PrintStream out = System.out;
        String defaultName = Network.system().name();
        for (EngineStatus engine : Network.engines()) {
            String remark = engine.available() ? "supports " + engine.remark() : reasonOf(engine);
            out.println(padded(engine.name(), 8) + padded(engine.available() ? "yes" : "no", 5) + remark
                    + (engine.name().equals(defaultName) ? "; the default (--engine auto)" : ""));
        }
        String automatic = TlsEngineKind.engines().getFirst().name();
        for (EngineStatus engine : TlsEngineKind.engines()) {
            out.println(padded("tls " + engine.name(), TLS_NAME_CHARS) + padded(engine.available() ? "yes" : "no", 5)
                    + engine.remark()
                    + (engine.name().equals(automatic) ? "; the default (--tls-engine auto)" : ""));
        }
        return 0;
    }

    /** Returns the reason without the engine's name, which the line already starts with. */
    private static String reasonOf(EngineStatus engine) {
        String name = engine.name() + " is not available: ";
        return engine.remark().startsWith(name) ? engine.remark().substring(name.length()) : engine.remark();
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(Math.max(1, width - text.length()));
    }
}
