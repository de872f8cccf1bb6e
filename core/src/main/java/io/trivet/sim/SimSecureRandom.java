package io.trivet.sim;

import java.security.SecureRandom;
import java.security.SecureRandomSpi;

/** Randomness from a seed, for code that requires a {@link SecureRandom}, such as TLS. It is predictable, and not secure. */
final class SimSecureRandom extends SecureRandom {
    private static final long serialVersionUID = 1;

    SimSecureRandom(SimRandom random) {
        super(new Source(random), null);
    }

    @Override
    public String getAlgorithm() {
        return "simulated";
    }

    private static final class Source extends SecureRandomSpi {
        private static final long serialVersionUID = 1;

        private final transient SimRandom random;

        Source(SimRandom random) {
            this.random = random;
        }

        @Override
        protected void engineSetSeed(byte[] seed) {
            // A seed would only add to the randomness, and there is one already.
        }

        @Override
        protected void engineNextBytes(byte[] bytes) {
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) random.next();
            }
        }

        @Override
        protected byte[] engineGenerateSeed(int count) {
            byte[] bytes = new byte[count];
            engineNextBytes(bytes);
            return bytes;
        }
    }
}
