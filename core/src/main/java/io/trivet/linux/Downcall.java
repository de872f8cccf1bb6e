package io.trivet.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.function.Consumer;

/**
 * Creates method handles for C functions. All but those of {@link #ofHeld} have the same form: the segment for errno, then seven
 * {@code long} arguments (addresses, too), and a {@code long} result. Seven are what syscall(2) needs: the number of the call, and
 * six arguments. On x86-64 and aarch64 each of the first six integer arguments occupies a whole register, whatever its C type; the
 * seventh is a register, or a word of the stack that the caller removes. A function ignores arguments for which it has no
 * parameter, so this form fits every function, and callers pass 0 for missing arguments. The handles share one compiled stub,
 * because each further form adds 15 ms to the JVM's start-up.
 *
 * <p>A result whose C type is {@code int} must be cast to int: the upper half of the register is undefined. {@code critical} is
 * not used, since some of the calls wait.
 */
@SuppressWarnings("restricted") // the only class that uses the linker
final class Downcall {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");
    private static final FunctionDescriptor LONGS_7 = FunctionDescriptor
            .of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    /** Layout of the segment into which a call writes errno: see {@link #newErrno}. */
    private static final StructLayout ERRNO = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET = ERRNO.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    private Downcall() {}

    /** Returns a method handle that calls a C function. The function must exist. */
    static MethodHandle of(String function) {
        MethodHandle handle = ofOptional(function);
        if (handle == null) {
            throw new UnsatisfiedLinkError("the C library has no function " + function);
        }
        return handle;
    }

    /** Returns a method handle that calls a C function whose second argument is a segment, which is kept alive during the call. */
    static MethodHandle ofHeld(String function) {
        FunctionDescriptor held = FunctionDescriptor
                .of(JAVA_LONG, JAVA_LONG, ValueLayout.ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(function), held, CAPTURE);
    }

    /** Returns a method handle that calls a C function, or null if the C library does not have it. */
    static @org.jspecify.annotations.Nullable MethodHandle ofOptional(String function) {
        MemorySegment symbol = LINKER.defaultLookup().find(function).orElse(null);
        return symbol == null ? null : LINKER.downcallHandle(symbol, LONGS_7, CAPTURE);
    }

    /** Allocates a segment for errno. Threads that make calls at the same time must not share it. */
    static MemorySegment newErrno(Arena arena) {
        return arena.allocate(ERRNO);
    }

    /** Returns the errno that the last call wrote. It is meaningful only if that call failed. */
    static int errno(MemorySegment place) {
        return place.get(ValueLayout.JAVA_INT, ERRNO_OFFSET);
    }

    /** Wraps memory that is already mapped. It is unmapped with its arena. */
    static MemorySegment mapped(long address, long size, Arena arena, Consumer<MemorySegment> unmap) {
        return MemorySegment.ofAddress(address).reinterpret(size, arena, unmap);
    }

    /** Copies bytes from a memory address. */
    static void copy(long address, byte[] to, int index, int length) {
        MemorySegment.copy(MemorySegment.ofAddress(address).reinterpret(length), ValueLayout.JAVA_BYTE, 0, to, index, length);
    }

    /**
     * Handles a throwable in the catch clauses of the bindings. A method handle declares Throwable, but a downcall throws only
     * errors and unchecked exceptions.
     */
    static AssertionError unexpected(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        if (thrown instanceof RuntimeException exception) {
            throw exception;
        }
        return new AssertionError("a downcall threw a checked exception", thrown);
    }
}
