package io.trivet.linux;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Bindings of the calls of io_uring, which the C library does not wrap, and its constants (linux/io_uring.h). The numbers of the
 * calls are the same on every architecture. They return what {@link Libc}'s functions do: the result, or the negative error
 * number.
 */
final class Uring {
    static final int SETUP_CQSIZE = 1 << 3;
    static final int SETUP_CLAMP = 1 << 4;
    static final int SETUP_SUBMIT_ALL = 1 << 7;
    static final int SETUP_COOP_TASKRUN = 1 << 8;
    static final int SETUP_TASKRUN_FLAG = 1 << 9;
    static final int SETUP_SINGLE_ISSUER = 1 << 12;
    static final int SETUP_DEFER_TASKRUN = 1 << 13;

    static final int FEAT_SINGLE_MMAP = 1;
    static final int FEAT_EXT_ARG = 1 << 8;

    static final int ENTER_GETEVENTS = 1;
    static final int ENTER_EXT_ARG = 1 << 3;

    static final int SQ_CQ_OVERFLOW = 1 << 1;
    static final int SQ_TASKRUN = 1 << 2;

    static final long OFF_SQ_RING = 0;
    static final long OFF_SQES = 0x10000000L;

    static final int REGISTER_PROBE = 8;
    static final int REGISTER_PBUF_RING = 22;

    static final int OP_POLL_ADD = 6;
    static final int OP_SENDMSG = 9;
    static final int OP_ASYNC_CANCEL = 14;
    static final int OP_SEND = 26;
    static final int OP_RECV = 27;
    /** Introduced by Linux 6.0 together with multishot receive, which cannot be probed for. Probed for in its place. */
    static final int OP_SEND_ZC = 47;

    static final int SQE_SIZE = 64;
    static final int SQE_BUFFER_SELECT = 1 << 5;
    static final int SQE_CQE_SKIP_SUCCESS = 1 << 6;
    static final int RECV_MULTISHOT = 1 << 1;
    static final int POLL_ADD_MULTI = 1;
    static final int CANCEL_ALL = 1;
    static final int CANCEL_ANY = 1 << 2;

    /** struct io_uring_cqe { user_data 0; res 8; flags 12; }. */
    static final int CQE_SIZE = 16;
    static final int CQE_RES = 8;
    static final int CQE_FLAGS = 12;
    static final int CQE_BUFFER = 1;
    static final int CQE_MORE = 1 << 1;
    static final int CQE_BUFFER_SHIFT = 16;

    static final int MSG_DONTWAIT = 0x40;
    static final int MSG_WAITALL = 0x100;

    static final int SYS_SETUP = 425;
    static final int SYS_ENTER = 426;
    static final int SYS_REGISTER = 427;

    static final int PROT_READ_WRITE = 3;
    static final int MAP_SHARED_POPULATE = 0x8001;
    static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022;

    private static final MethodHandle SYSCALL = Downcall.of("syscall");
    private static final MethodHandle MMAP = Downcall.of("mmap");
    private static final MethodHandle MUNMAP = Downcall.of("munmap");

    private Uring() {}

    /** man 2 io_uring_setup. */
    static int setup(int entries, long params) {
        MemorySegment errno = Libc.errnoOfThread();
        try {
            return Libc.intResult((long) SYSCALL.invokeExact(errno, (long) SYS_SETUP, (long) entries, params, 0L, 0L, 0L, 0L),
                    errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 io_uring_enter; it may wait. */
    static int enter(int fd, int toSubmit, int minComplete, int flags, long argument, long argumentSize) {
        MemorySegment errno = Libc.errnoOfThread();
        try {
            return Libc.intResult(
                    (long) SYSCALL.invokeExact(errno, (long) SYS_ENTER, (long) fd, (long) toSubmit, (long) minComplete,
                            (long) flags, argument, argumentSize),
                    errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 io_uring_register. */
    static int register(int fd, int opcode, long argument, int count) {
        MemorySegment errno = Libc.errnoOfThread();
        try {
            return Libc.intResult(
                    (long) SYSCALL.invokeExact(errno, (long) SYS_REGISTER, (long) fd, (long) opcode, argument, (long) count, 0L,
                            0L),
                    errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** Maps memory that is shared with the kernel (man 2 mmap). Returns its address, or the negative error number. */
    static long mapShared(int fd, long size, long offset) {
        return map(size, MAP_SHARED_POPULATE, fd, offset);
    }

    /** Maps memory whose pages are allocated on first use. Returns its address, or the negative error number. */
    static long mapLazily(long size) {
        return map(size, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0);
    }

    private static long map(long size, int flags, int fd, long offset) {
        MemorySegment errno = Libc.errnoOfThread();
        try {
            long address = (long) MMAP.invokeExact(errno, 0L, size, (long) PROT_READ_WRITE, (long) flags, (long) fd, offset, 0L);
            return address == -1 ? -Downcall.errno(errno) : address;
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 munmap. */
    static void unmap(long address, long size) {
        MemorySegment errno = Libc.errnoOfThread();
        try {
            long _ = (long) MUNMAP.invokeExact(errno, address, size, 0L, 0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }
}
