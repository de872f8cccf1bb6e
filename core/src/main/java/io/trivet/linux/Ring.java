package io.trivet.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * The two queues that are shared with the kernel (man 7 io_uring): submissions, which are collected and handed over by one call,
 * and completions.
 *
 * <p>A ring is {@linkplain Binding bound} to a thread or free. Only the thread that creates a bound ring may use it. The kernel
 * then needs no locks, and completes operations only while this thread is in a call. Older kernels cannot promise the latter, and
 * {@link #defersCompletions} returns false. A free ring may be used by one thread after the other, and by a virtual thread, whose
 * carrier changes. If a thread ends, the kernel later cancels the operations that it has started, without performing them.
 *
 * <pre>
 * struct io_uring_params { sq_entries 0; cq_entries 4; flags 8; features 20; sq_off 40; cq_off 80; }   120 bytes
 * struct io_sqring_offsets { head 0; tail 4; ring_mask 8; ring_entries 12; flags 16; dropped 20; array 24; }
 * struct io_cqring_offsets { head 0; tail 4; ring_mask 8; ring_entries 12; overflow 16; cqes 20; flags 24; }
 * struct io_uring_sqe { opcode 0; flags 1; ioprio 2; fd 4; off 8; addr 16; len 24; op_flags 28; user_data 32; buf_group 40; }   64 bytes
 * struct io_uring_getevents_arg { sigmask 0; sigmask_sz 8; min_wait_usec 12; ts 16; }   24 bytes
 * </pre>
 */
final class Ring {
    static final int PARAMS_SIZE = 120;
    static final int PARAMS_SQ_ENTRIES = 0;
    static final int PARAMS_CQ_ENTRIES = 4;
    static final int PARAMS_FLAGS = 8;
    static final int PARAMS_FEATURES = 20;
    static final int SQ_OFF = 40;
    static final int CQ_OFF = 80;
    /** Offsets within the sq_off and cq_off of struct io_uring_params. The first two are the same in both. */
    static final int OFF_HEAD = 0;
    static final int OFF_TAIL = 4;
    static final int SQ_OFF_FLAGS = 16;
    static final int SQ_OFF_ARRAY = 24;
    static final int CQ_OFF_CQES = 20;
    static final int SQE_ADDR = 16;
    static final int SQE_LEN = 24;
    static final int SQE_USER_DATA = 32;
    static final int SQE_BUF_GROUP = 40;
    static final int WAIT_SIZE = 24;
    static final int WAIT_SIGMASK_SIZE = 8;
    static final int WAIT_TIMESPEC = 16;
    private static final int SIGMASK_BYTES = 8;

    /** IORING_SETUP_NO_SQARRAY, which the headers of many systems do not have yet. */
    static final int SETUP_NO_SQARRAY = 1 << 16;
    /** A wait does not count as waiting for I/O (Linux 6.15): otherwise an idle ring shows up as I/O wait and I/O pressure. */
    static final int ENTER_NO_IOWAIT = 1 << 7;
    static final int FEAT_NO_IOWAIT = 1 << 17;

    /** Which threads may use a ring. */
    enum Binding {
        /** Only the thread that creates it, a platform thread. */
        THREAD,
        /** One thread at a time. */
        NONE
    }

    /** Setup flags of a bound ring to try, best first. A kernel refuses flags that it does not know with EINVAL. */
    private static final int[] BOUND_SETUPS = {
        Uring.SETUP_SINGLE_ISSUER | Uring.SETUP_DEFER_TASKRUN | Uring.SETUP_TASKRUN_FLAG | SETUP_NO_SQARRAY, // 6.6
        Uring.SETUP_SINGLE_ISSUER | Uring.SETUP_DEFER_TASKRUN | Uring.SETUP_TASKRUN_FLAG, // 6.1
        Uring.SETUP_SINGLE_ISSUER | Uring.SETUP_COOP_TASKRUN | Uring.SETUP_TASKRUN_FLAG, // 6.0
    };
    /** Those of a free ring. */
    private static final int[] FREE_SETUPS = {SETUP_NO_SQARRAY, 0};

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final VarHandle INDEX = INT.varHandle();

    private final int fd;
    /**
     * The mappings keep the ring and its operations alive, so they must be unmapped on close, and not when they are
     * garbage-collected.
     */
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final MemorySegment sqes;
    private final MemorySegment wait = Arena.ofAuto().allocate(WAIT_SIZE, 8);
    private final long sqHeadAt;
    private final long sqTailAt;
    private final long sqFlagsAt;
    private final int sqEntries;
    private final long cqHeadAt;
    private final long cqTailAt;
    private final long cqesAt;
    private final int cqMask;

    private final Binding binding;
    private final boolean defersCompletions;
    /** Flags of a call that waits. */
    private final int waitFlags;

    /** Index after the last submission that was written. */
    private int sqTail;
    /** Index of the first completion that has not been consumed. */
    private int cqHead;

    /** Opens a ring. The kernel rounds the sizes up to powers of two. */
    Ring(int submissions, int completions, Binding binding) throws IOException {
        this.binding = binding;
        int[] setups = binding == Binding.THREAD ? BOUND_SETUPS : FREE_SETUPS;
        MemorySegment params = Arena.ofAuto().allocate(PARAMS_SIZE, 8);
        int opened = -Errno.EINVAL;
        int flags = 0;
        for (int i = 0; i < setups.length && opened == -Errno.EINVAL; i++) {
            params.fill((byte) 0);
            flags = setups[i] | Uring.SETUP_CQSIZE | Uring.SETUP_CLAMP | Uring.SETUP_SUBMIT_ALL;
            params.set(INT, PARAMS_FLAGS, flags);
            params.set(INT, PARAMS_CQ_ENTRIES, completions);
            opened = Uring.setup(submissions, params.address());
        }
        if (opened < 0) {
            throw Errno.failure("io_uring_setup", null, -opened);
        }
        fd = opened;
        try {
            int needed = Uring.FEAT_SINGLE_MMAP | Uring.FEAT_EXT_ARG;
            int features = params.get(INT, PARAMS_FEATURES);
            if ((features & needed) != needed) {
                throw Errno.failure("io_uring_setup", null, Errno.ENOSYS);
            }
            sqEntries = params.get(INT, PARAMS_SQ_ENTRIES);
            cqMask = params.get(INT, PARAMS_CQ_ENTRIES) - 1;
            long arrayAt = Integer.toUnsignedLong(params.get(INT, SQ_OFF + SQ_OFF_ARRAY));
            cqesAt = Integer.toUnsignedLong(params.get(INT, CQ_OFF + CQ_OFF_CQES));
            long size = Math.max(arrayAt + 4L * sqEntries, cqesAt + (cqMask + 1L) * Uring.CQE_SIZE);
            memory = map(size, Uring.OFF_SQ_RING);
            sqes = map((long) sqEntries * Uring.SQE_SIZE, Uring.OFF_SQES);
            sqHeadAt = Integer.toUnsignedLong(params.get(INT, SQ_OFF + OFF_HEAD));
            sqTailAt = Integer.toUnsignedLong(params.get(INT, SQ_OFF + OFF_TAIL));
            sqFlagsAt = Integer.toUnsignedLong(params.get(INT, SQ_OFF + SQ_OFF_FLAGS));
            cqHeadAt = Integer.toUnsignedLong(params.get(INT, CQ_OFF + OFF_HEAD));
            cqTailAt = Integer.toUnsignedLong(params.get(INT, CQ_OFF + OFF_TAIL));
            if ((flags & SETUP_NO_SQARRAY) == 0) {
                for (int i = 0; i < sqEntries; i++) {
                    memory.set(INT, arrayAt + 4L * i, i);
                }
            }
            wait.set(INT, WAIT_SIGMASK_SIZE, SIGMASK_BYTES);
            defersCompletions = (flags & Uring.SETUP_DEFER_TASKRUN) != 0;
            waitFlags = Uring.ENTER_GETEVENTS | Uring.ENTER_EXT_ARG | ((features & FEAT_NO_IOWAIT) != 0 ? ENTER_NO_IOWAIT : 0);
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private MemorySegment map(long size, long offset) throws IOException {
        long address = Uring.mapShared(fd, size, offset);
        if (address < 0) {
            throw Errno.failure("mmap", null, (int) -address);
        }
        return Downcall.mapped(address, size, arena, segment -> Uring.unmap(segment.address(), segment.byteSize()));
    }

    int fd() {
        return fd;
    }

    /** Returns the size of the memory shared with the kernel, in bytes. */
    long bytes() {
        return memory.byteSize() + sqes.byteSize();
    }

    Binding binding() {
        return binding;
    }

    /** Returns whether operations complete, and lent memory is accessed, only during a call of this class (Linux 6.1). */
    boolean defersCompletions() {
        return defersCompletions;
    }

    // ---- submissions

    /** Writes one submission. If the queue is full, hands over the earlier ones first. */
    void push(int opcode, int flags, int ioprio, int target, long address, int length, int operationFlags, long userData) {
        if (sqTail - (int) INDEX.getAcquire(memory, sqHeadAt) == sqEntries) {
            submit();
        }
        long at = (long) (sqTail & sqEntries - 1) * Uring.SQE_SIZE;
        sqes.set(LONG, at, opcode | (long) flags << 8 | (long) ioprio << 16 | (long) target << 32);
        sqes.set(LONG, at + 8, 0);
        sqes.set(LONG, at + SQE_ADDR, address);
        sqes.set(LONG, at + SQE_LEN, Integer.toUnsignedLong(length) | (long) operationFlags << 32);
        sqes.set(LONG, at + SQE_USER_DATA, userData);
        sqes.set(LONG, at + SQE_BUF_GROUP, BufferRing.GROUP);
        sqes.set(LONG, at + 48, 0);
        sqes.set(LONG, at + 56, 0);
        sqTail++;
    }

    /** Returns the number of submissions that have not been handed over. */
    int unsubmitted() {
        return sqTail - (int) INDEX.getAcquire(memory, sqHeadAt);
    }

    /** Returns the user data of a submission that has not been handed over, by its offset from the first. */
    long unsubmittedData(int offset) {
        int head = (int) INDEX.getAcquire(memory, sqHeadAt);
        return sqes.get(LONG, (long) (head + offset & sqEntries - 1) * Uring.SQE_SIZE + SQE_USER_DATA);
    }

    /** Copies the submissions that another ring of the same size has not handed over. */
    void copyUnsubmitted(Ring from) {
        int head = (int) INDEX.getAcquire(from.memory, from.sqHeadAt);
        for (int i = head; i != from.sqTail; i++) {
            MemorySegment.copy(from.sqes, (long) (i & from.sqEntries - 1) * Uring.SQE_SIZE, sqes,
                    (long) (sqTail & sqEntries - 1) * Uring.SQE_SIZE, Uring.SQE_SIZE);
            sqTail++;
        }
    }

    /**
     * Returns whether the kernel refused a call only temporarily: because of a signal, a lack of memory, or a full completion
     * queue.
     */
    static boolean isTemporary(int result) {
        return result == -Errno.EINTR || result == -Errno.EAGAIN || result == -Errno.EBUSY;
    }

    /** Hands over all submissions, without waiting. */
    void submit() {
        INDEX.setRelease(memory, sqTailAt, sqTail);
        int waiting = unsubmitted();
        while (waiting > 0) {
            // With GETEVENTS, so that overflowed completions are moved to the queue: until then the kernel may refuse (EBUSY).
            int result = Uring.enter(fd, waiting, 0, Uring.ENTER_GETEVENTS, 0, 0);
            if (result < 0 && !isTemporary(result)) {
                throw new IllegalStateException("the ring accepts no more submissions",
                        Errno.failure("io_uring_enter", null, -result));
            }
            waiting = unsubmitted();
        }
    }

    // ---- completions

    /** Hands over all submissions, and waits for a completion or until the timeout expires. Returns the result of the call. */
    int enter(Timeout timeout) {
        INDEX.setRelease(memory, sqTailAt, sqTail);
        int waiting = unsubmitted();
        if (timeout.isExpired()) {
            return waiting == 0 && !hasMore() ? 0 : Uring.enter(fd, waiting, 0, Uring.ENTER_GETEVENTS, 0, 0);
        }
        wait.set(LONG, WAIT_TIMESPEC, timeout.timespec());
        return Uring.enter(fd, waiting, 1, waitFlags, wait.address(), WAIT_SIZE);
    }

    /** Hands over all submissions, and does not wait. Returns the result of the call. */
    int enterWithoutWaiting() {
        INDEX.setRelease(memory, sqTailAt, sqTail);
        return Uring.enter(fd, unsubmitted(), 0, Uring.ENTER_GETEVENTS, 0, 0);
    }

    /** Returns the number of completions that have not been consumed. */
    int completed() {
        return (int) INDEX.getAcquire(memory, cqTailAt) - cqHead;
    }

    /** Returns whether the kernel has received all submissions, and no completion is held back by an overflow of the queue. */
    boolean isInSync() {
        return unsubmitted() == 0 && !hasOverflowed();
    }

    /** Returns whether completions are held back by an overflow of their queue. The next call moves them to the queue. */
    boolean hasOverflowed() {
        return (memory.get(INT, sqFlagsAt) & Uring.SQ_CQ_OVERFLOW) != 0;
    }

    /**
     * Returns whether the next call of io_uring_enter yields completions of operations that have already ended. The kernel holds
     * them back after an overflow of the completion queue, or because it has left their deferred work for a later call. One call
     * runs the deferred work of only about 20 operations (io_run_local_work).
     */
    boolean hasMore() {
        return (memory.get(INT, sqFlagsAt) & (Uring.SQ_TASKRUN | Uring.SQ_CQ_OVERFLOW)) != 0;
    }

    /** Returns the user data of the completion at an offset from the first. */
    long userData(int offset) {
        return memory.get(LONG, cqesAt + (long) (cqHead + offset & cqMask) * Uring.CQE_SIZE);
    }

    long userData() {
        return memory.get(LONG, cqesAt + (long) (cqHead & cqMask) * Uring.CQE_SIZE);
    }

    int result() {
        return memory.get(INT, cqesAt + (long) (cqHead & cqMask) * Uring.CQE_SIZE + Uring.CQE_RES);
    }

    int flags() {
        return memory.get(INT, cqesAt + (long) (cqHead & cqMask) * Uring.CQE_SIZE + Uring.CQE_FLAGS);
    }

    /** Consumes the first completion: its entry is the kernel's again. */
    void advance() {
        INDEX.setRelease(memory, cqHeadAt, ++cqHead);
    }

    void close() {
        arena.close();
        Libc.close(fd);
    }
}
