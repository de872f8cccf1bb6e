package io.trivet.openssl;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Whether OpenSSL can be used here, and which version it is. Any thread. */
public final class OpenSslLibrary {
    /** OpenSSL 3.0.0, as OpenSSL_version_num returns it. */
    private static final long VERSION_MIN = 0x30000000L;
    /** Without the functions that OpenSSL registers with atexit: they would free memory that other threads still use. */
    private static final long OPENSSL_INIT_NO_ATEXIT = 0x00080000L;

    private OpenSslLibrary() {}

    /** Loaded when the first caller asks. */
    private static final class Loaded {
        static final @Nullable String OBSTACLE = obstacle();

        private static @Nullable String obstacle() {
            String system = System.getProperty("os.name");
            String architecture = System.getProperty("os.arch");
            if (!system.equals("Linux") || !List.of("amd64", "aarch64").contains(architecture)) {
                return "it is supported on Linux on amd64 and aarch64, not on " + system + " on " + architecture + ": use jdk";
            }
            try {
                return check();
            } catch (ExceptionInInitializerError e) {
                return denied(e.getCause());
            } catch (NoClassDefFoundError | UnsatisfiedLinkError | IllegalStateException e) {
                return denied(e);
            }
        }

        private static @Nullable String check() {
            long version = Libcrypto.versionNumber();
            if (version < VERSION_MIN) {
                return "libcrypto.so.3 is " + Libcrypto.versionText() + ", and OpenSSL 3.0 or later is needed: use jdk";
            }
            if (Libssl.init(OPENSSL_INIT_NO_ATEXIT) != 1) {
                return "OpenSSL cannot be initialized: " + ErrorQueue.take() + "; use jdk";
            }
            try (MemoryBios bios = MemoryBios.open()) {
                return bios.areUsable() ? null
                        : "the memory BIOs of " + Libcrypto.versionText() + " do not behave as those of OpenSSL 3.0: use jdk";
            }
        }

        private static String denied(@Nullable Throwable cause) {
            if (cause instanceof IllegalCallerException) {
                String module = OpenSslLibrary.class.getModule().isNamed() ? "io.trivet" : "ALL-UNNAMED";
                return "native access is denied to Trivet: start java with --enable-native-access=" + module + ", or use jdk";
            }
            if (cause instanceof IllegalArgumentException) {
                return "libssl.so.3 was not found, or cannot be loaded: install OpenSSL 3 (on Debian: apt install libssl3), or use jdk";
            }
            return "libssl.so.3 cannot be called (" + cause + "): use jdk";
        }
    }

    /**
     * Returns why OpenSSL cannot be used.
     *
     * @return the reason and the cure; null if it can be used
     */
    public static @Nullable String obstacle() {
        return Loaded.OBSTACLE;
    }

    /**
     * Returns the name and version of the library. Called only if there is no {@link #obstacle}.
     *
     * @return for instance {@code OpenSSL 3.0.15}
     */
    public static String version() {
        return Libcrypto.versionText();
    }
}
