package io.trivet.sim;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.logging.LogManager;

/** Prints the digest of the timelines of some seeds, on every engine and with all faults. */
final class TimelineDigest {
    private static final int SEEDS = 3;

    private TimelineDigest() {}

    /** Prints the digest. */
    public static void main(String[] arguments) throws Exception {
        LogManager.getLogManager().reset(); // what the server logs about the faults is of no interest here
        System.out.println(digest());
    }

    static String digest() throws IOException, NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (SimEngine engine : SimEngine.values()) {
            for (long seed = 1; seed <= SEEDS; seed++) {
                SimNetwork network = SimNetwork.of(seed, FaultPlan.all(), engine);
                network.trace((elapsedNanos, event) -> digest
                        .update((elapsedNanos + " " + event + "\n").getBytes(StandardCharsets.UTF_8)));
                new EchoScenario(network).run();
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
