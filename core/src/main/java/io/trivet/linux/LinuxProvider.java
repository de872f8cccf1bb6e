package io.trivet.linux;

import io.trivet.net.Network;
import io.trivet.net.NetworkProvider;
import io.trivet.net.UnavailableException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Provides the networks of Linux: uring, epoll, poll and select. Public only for {@link java.util.ServiceLoader}. */
public final class LinuxProvider implements NetworkProvider {
    /** Why the kernel cannot be used, or null; and the networks, each created once. */
    private static final class Kernel {
        static final @Nullable String OBSTACLE = obstacle();
        static final LinuxNetwork POLL = new LinuxNetwork("poll", LinuxNetwork.Engine.POLL, null, null);
        static final LinuxNetwork EPOLL = new LinuxNetwork("epoll", LinuxNetwork.Engine.EPOLL, POLL, null);
        static final LinuxNetwork SELECT = new LinuxNetwork("select", LinuxNetwork.Engine.SELECT, POLL, null);

        private static @Nullable String obstacle() {
            String system = System.getProperty("os.name");
            String architecture = System.getProperty("os.arch");
            if (!system.equals("Linux")) {
                return "this system is " + system + ", not Linux: use nio";
            }
            if (!List.of("amd64", "aarch64").contains(architecture)) {
                return "this machine is " + architecture + ", but only amd64 and aarch64 are supported: use nio";
            }
            try {
                Libc.fcntl(0, Libc.F_GETFD, 0);
                Errno.load();
                return null;
            } catch (ExceptionInInitializerError e) {
                return denied(e.getCause());
            } catch (NoClassDefFoundError e) {
                return denied(e);
            }
        }

        private static String denied(@Nullable Throwable cause) {
            if (cause instanceof IllegalCallerException) {
                String module = Kernel.class.getModule().isNamed() ? "io.trivet" : "ALL-UNNAMED";
                return "native access is denied to Trivet: start java with --enable-native-access=" + module;
            }
            return "the C library cannot be called: " + cause;
        }
    }

    /** Initialized only when requested, since the probe opens a ring. */
    private static final class Ring {
        static final UringProbe.Result RESULT = UringProbe.probe();
        static final LinuxNetwork NETWORK = new LinuxNetwork("uring", LinuxNetwork.Engine.URING, Kernel.POLL, Kernel.EPOLL);
    }

    /** For {@link java.util.ServiceLoader}. */
    public LinuxProvider() {}

    @Override
    public List<String> names() {
        return List.of("uring", "epoll", "poll", "select");
    }

    /**
     * {@inheritDoc} The ring is a candidate only where it is faster than epoll. By the tables of bench/run it is, except where
     * every send needs a completion (Linux 6.0).
     */
    @Override
    public List<String> automatic() {
        boolean epollIsFaster = Kernel.OBSTACLE == null && Ring.RESULT.obstacle() == null && !Ring.RESULT.outperformsEpoll();
        return epollIsFaster ? List.of("epoll") : List.of("uring", "epoll");
    }

    @Override
    public Network network(String name) {
        if (Kernel.OBSTACLE != null) {
            throw new UnavailableException(name + " is not available: " + Kernel.OBSTACLE);
        }
        return switch (name) {
            case "epoll" -> Kernel.EPOLL;
            case "poll" -> Kernel.POLL;
            case "select" -> Kernel.SELECT;
            case "uring" -> {
                if (Ring.RESULT.obstacle() != null) {
                    throw new UnavailableException("uring is not available: " + Ring.RESULT.obstacle());
                }
                yield Ring.NETWORK;
            }
            default -> throw new UnavailableException("Linux has no network " + name);
        };
    }

    @Override
    public int preference() {
        return 10;
    }
}
