package io.trivet.app;

import io.trivet.net.EngineStatus;
import io.trivet.net.Network;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

// @formatter:off: an attribute a line
/** {@code trivet engines}. */
@Command(name = "engines", mixinStandardHelpOptions = true, versionProvider = Version.class,
        description = "Tells which engines work here, which do not, why, and the cure.")
// @formatter:on
final class Engines implements Callable<Integer> {
    @Override
    public Integer call() {
        PrintStream out = System.out;
        String automatic = Network.system().name();
        for (EngineStatus engine : Network.engines()) {
            String remark = engine.available() ? "can do " + engine.remark() : withoutName(engine);
            out.println(padded(engine.name(), 8) + padded(engine.available() ? "yes" : "no", 5) + remark
                    + (engine.name().equals(automatic) ? "; --engine auto takes it" : ""));
        }
        return 0;
    }

    /** The reason names the engine, as it must where it stands alone; here the name stands in front already. */
    private static String withoutName(EngineStatus engine) {
        String name = engine.name() + " is not available: ";
        return engine.remark().startsWith(name) ? engine.remark().substring(name.length()) : engine.remark();
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(Math.max(1, width - text.length()));
    }
}
