package io.trivet.linux;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The calls of {@link Libc} that read, for memory that another thread could free: they get it as a segment, which the linker keeps
 * alive during the call. Closing its arena meanwhile throws {@link IllegalStateException}. A closed arena, or a confined one of
 * another thread, is refused before the call. In a class of its own, so its stub is compiled only when it is needed.
 */
final class HeldLibc {
    private static final MethodHandle RECV = Downcall.ofHeld("recv");
    private static final MethodHandle RECVFROM = Downcall.ofHeld("recvfrom");
    private static final MethodHandle READ = Downcall.ofHeld("read");

    private HeldLibc() {}

    /** man 2 recv. */
    static long recv(int fd, MemorySegment buffer, long length, int flags) {
        MemorySegment errno = Libc.errnoOfThread();
        try {
            return Libc.longResult((long) RECV.invokeExact(errno, (long) fd, buffer, length, (long) flags, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 recvfrom. */
    static long recvfrom(int fd, MemorySegment buffer, long length, int flags, long address, long lengthAddress) {
        MemorySegment errno = Libc.errnoOfThread();
        try {
            return Libc.longResult(
                    (long) RECVFROM.invokeExact(errno, (long) fd, buffer, length, (long) flags, address, lengthAddress), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 read. */
    static long read(int fd, MemorySegment buffer, long length) {
        MemorySegment errno = Libc.errnoOfThread();
        try {
            return Libc.longResult((long) READ.invokeExact(errno, (long) fd, buffer, length, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }
}
