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
 * filter allow together. It sets up a ring of the size that servers use, with its buffers, hands over an operation, and waits for
 * its completion.
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
    private static final Path LIMITS = Path.of("/proc/self/limits");
    private static final Path RELEASE = Path.of("/proc/sys/kernel/osrelease");
    private static final int[] NEEDED = {Uring.OP_POLL_ADD, Uring.OP_SENDMSG, Uring.OP_ASYNC_CANCEL, Uring.OP_SEND, Uring.OP_RECV,
        Uring.OP_SEND_ZC};
    static final int PROBE_HEAD = 16;
    static final int PROBE_OP = 8;
    static final int PROBE_OP_FLAGS = 2;
    private static final int PROBE_OPS = 256;
    /** Memory of a ring that the kernel may count as locked: the two queues and that of the buffers, rounded up. */
    private static final int LOCKED_KIB = 96;

    /** A poll of a readable descriptor completes at once. */
    private static final long COMPLETION_NANOS_MAX = 1_000_000_000L;
    static final int OP_SUPPORTED = 1;

    private UringProbe() {}

    static Result probe() {
        UringSizes sizes = UringSizes.DEFAULT;
        try {
            Ring ring = new Ring(sizes.submissions(), sizes.completions(), Ring.Binding.THREAD);
            try {
                if (!supports(ring)) {
                    return obstacle(tooOld());
                }
                var _ = new BufferRing(ring, sizes.buffers(), sizes.bufferBytes(), UringReceives.READ_BYTES);
                return completes(ring) ? new Result(null, ring.defersCompletions())
                        : obstacle("an operation of a ring does not complete here: use epoll");
            } finally {
                ring.close();
            }
        } catch (NetworkException e) {
            return obstacle(explain(e.call(), e.code(), read(SYSCTL), lockedMemory()));
        } catch (IOException e) {
            return obstacle("the kernel refuses a ring: " + e.getMessage());
        }
    }

    private static Result obstacle(String what) {
        return new Result(what, false);
    }

    /** Hands over an operation that completes at once, and waits for it in the way that a proactor waits. */
    private static boolean completes(Ring ring) throws IOException {
        EventFd event = new EventFd();
        try {
            event.signal();
            ring.push(Uring.OP_POLL_ADD, 0, 0, event.fd(), 0, 0, PollBits.POLLIN, 0);
            Timeout timeout = new Timeout();
            timeout.start(COMPLETION_NANOS_MAX);
            while (ring.completed() == 0 && !timeout.isExpired()) {
                int result = ring.enter(timeout);
                if (result < 0 && result != -Errno.ETIME && !Ring.isTemporary(result)) {
                    throw Errno.failure("io_uring_enter", null, -result);
                }
                timeout.update();
            }
            return ring.completed() == 1 && ring.result() > 0;
        } finally {
            event.close();
        }
    }

    /** Returns an exception for a failed set-up of a ring that explains the reason and names the cure. */
    static NetworkException explained(NetworkException e) {
        return new NetworkException(e.call(), null, e.code(),
                e.code() + ", " + explain(e.call(), e.code(), read(SYSCTL), lockedMemory()));
    }

    /**
     * Explains why a ring was refused.
     *
     * @param call the call that failed
     * @param code its error
     * @param disabled the setting of kernel.io_uring_disabled; null: the kernel has no such setting
     * @param locked this process's limit of locked memory, for people; null: unknown
     */
    static String explain(String call, ErrorCode code, @Nullable String disabled, @Nullable String locked) {
        return switch (code) {
            case EPERM, EACCES -> !call.equals("io_uring_setup")
                    ? call + " is forbidden to this process, as containers often do: allow io_uring_setup, io_uring_enter and "
                            + "io_uring_register in the seccomp profile, or use epoll"
                    : switch (disabled) {
                        case "2" -> "io_uring is switched off on this machine: sysctl -w kernel.io_uring_disabled=0 allows it";
                        case "1" ->
                            "io_uring is reserved for privileged processes: sysctl -w kernel.io_uring_disabled=0 allows it to"
                                    + " all, kernel.io_uring_group to a group";
                        case null, default ->
                            "io_uring is forbidden to this process, as containers often do: allow io_uring_setup, "
                                    + "io_uring_enter and io_uring_register in the seccomp profile, or use epoll";
                    };
            case ENOSYS -> "this kernel has no " + (call.equals("io_uring_setup") ? "io_uring" : call)
                    + ", or a container's seccomp profile hides it: allow io_uring_setup, "
                    + "io_uring_enter and io_uring_register there, or use epoll";
            case EINVAL -> tooOld();
            case ENOMEM -> "the kernel denies the memory of a ring. Each loop needs " + LOCKED_KIB
                    + " KiB, which this kernel may count as locked memory"
                    + (locked == null ? "" : ", and this process may lock " + locked)
                    + " (all processes of its user together): raise that limit (ulimit -l; LimitMEMLOCK= of systemd; "
                    + "--ulimit memlock= of a container), use fewer loops, or use epoll";
            case EMFILE, ENFILE -> "no descriptor left for a ring: raise the limit (ulimit -n)";
            default -> "the kernel refuses a ring: " + call + ", " + code + ", " + code.sentence();
        };
    }

    /** Returns the soft limit of locked memory (man 5 proc_pid_limits), or null if it is unknown. */
    private static @Nullable String lockedMemory() {
        String limits = read(LIMITS);
        if (limits == null) {
            return null;
        }
        String name = "Max locked memory";
        return limits.lines().filter(line -> line.startsWith(name)).findFirst()
                .map(line -> line.substring(name.length()).strip().split(" +", 2)[0])
                .map(soft -> soft.matches("[0-9]{1,18}") ? (Long.parseLong(soft) >> 10) + " KiB" : soft).orElse(null);
    }

    private static String tooOld() {
        return "this kernel is " + read(RELEASE) + ", but multishot receive needs Linux 6.0: use epoll";
    }

    private static boolean supports(Ring ring) throws IOException {
        MemorySegment probe = Arena.ofAuto().allocate(PROBE_HEAD + (long) PROBE_OPS * PROBE_OP, 8);
        int result = Uring.register(ring.fd(), Uring.REGISTER_PROBE, probe.address(), PROBE_OPS);
        if (result < 0) {
            throw Errno.failure("io_uring_register", null, -result);
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
