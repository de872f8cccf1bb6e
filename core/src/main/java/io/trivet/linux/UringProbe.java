package io.trivet.linux;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Finds out whether io_uring is available here, by trying it: nothing else shows what a kernel, its settings and a container's
 * filter allow together.
 *
 * <pre>
 * struct io_uring_probe { last_op 0; ops_len 1; ops 16; }
 * struct io_uring_probe_op { op 0; resv 1; flags 2; resv2 4; }   8 bytes
 * </pre>
 */
final class UringProbe {
    /** The result. obstacle: the obstacle and its cure; null: none. outperformsEpoll: whether a ring is faster than epoll. */
    record Result(@Nullable String obstacle, boolean outperformsEpoll) {}

    private static final Path SYSCTL = Path.of("/proc/sys/kernel/io_uring_disabled");
    private static final Path RELEASE = Path.of("/proc/sys/kernel/osrelease");
    private static final int[] NEEDED = {Uring.OP_POLL_ADD, Uring.OP_SENDMSG, Uring.OP_ASYNC_CANCEL, Uring.OP_SEND, Uring.OP_RECV,
        Uring.OP_SEND_ZC};
    static final int PROBE_HEAD = 16;
    static final int PROBE_OP = 8;
    static final int PROBE_OP_FLAGS = 2;
    private static final int PROBE_OPS = 256;
    static final int OP_SUPPORTED = 1;

    private UringProbe() {}

    static Result probe() {
        Ring ring;
        try {
            ring = new Ring(4, 8);
        } catch (NetworkException e) {
            return obstacle(explain(e.code(), read(SYSCTL)));
        } catch (IOException e) {
            return obstacle("the kernel refuses a ring: " + e.getMessage());
        }
        try {
            if (!supports(ring)) {
                return obstacle(tooOld());
            }
            var _ = new BufferRing(ring, 2, 4096, 4096);
            return new Result(null, ring.defersCompletions());
        } catch (NetworkException e) {
            return obstacle(e.code() == ErrorCode.EINVAL ? tooOld() : noBuffers(e));
        } catch (IOException e) {
            return obstacle(noBuffers(e));
        } finally {
            ring.close();
        }
    }

    private static String noBuffers(IOException e) {
        return "the kernel refuses buffers for the ring: " + e.getMessage();
    }

    private static Result obstacle(String what) {
        return new Result(what, false);
    }

    /**
     * Explains why a ring was refused, by the error and the setting of kernel.io_uring_disabled; null: the kernel has no such
     * setting.
     */
    static String explain(ErrorCode code, @Nullable String disabled) {
        return switch (code) {
            case EPERM, EACCES -> switch (disabled) {
                case "2" -> "io_uring is switched off on this machine: sysctl -w kernel.io_uring_disabled=0 allows it";
                case "1" -> "io_uring is reserved for privileged processes: sysctl -w kernel.io_uring_disabled=0 allows it to"
                        + " all, kernel.io_uring_group to a group";
                case null, default -> "io_uring is forbidden to this process, as containers often do: allow io_uring_setup, "
                        + "io_uring_enter and io_uring_register in the seccomp profile, or use epoll";
            };
            case ENOSYS -> "this kernel has no io_uring, or a container's seccomp profile hides it: allow io_uring_setup, "
                    + "io_uring_enter and io_uring_register there, or use epoll";
            case EINVAL -> tooOld();
            case ENOMEM ->
                "the kernel has no memory for a ring: on kernels before 5.12, raise the limit of locked memory (ulimit -l)";
            case EMFILE, ENFILE -> "no descriptor left for a ring: raise the limit (ulimit -n)";
            default -> "the kernel refuses a ring: " + code + ", " + code.sentence();
        };
    }

    private static String tooOld() {
        return "this kernel is " + read(RELEASE) + ", but multishot receive needs Linux 6.0: use epoll";
    }

    private static boolean supports(Ring ring) {
        MemorySegment probe = Arena.ofAuto().allocate(PROBE_HEAD + (long) PROBE_OPS * PROBE_OP, 8);
        if (Uring.register(ring.fd(), Uring.REGISTER_PROBE, probe.address(), PROBE_OPS) < 0) {
            return false;
        }
        for (int op : NEEDED) {
            if ((probe.get(ValueLayout.JAVA_SHORT, PROBE_HEAD + (long) op * PROBE_OP + PROBE_OP_FLAGS) & OP_SUPPORTED) == 0) {
                return false;
            }
        }
        return true;
    }

    private static @Nullable String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            return null;
        }
    }
}
