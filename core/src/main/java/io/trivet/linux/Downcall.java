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
 * Makes handles for C functions, all of one form: six {@code long} arguments, addresses too, and a {@code long} result; before them
 * goes the place for errno. On x86-64 and aarch64 an integer argument takes a whole register whatever its C type, up to six of them, and
 * a function does not look at registers that it has no parameter for: so this is the ABI, and whoever has fewer arguments passes 0 for
 * the rest. That all share one compiled stub is felt when the JVM starts: each further form costs 15 ms.
 *
 * <p>A result whose C type is {@code int} must be cast to int: the upper half of the register is undefined. {@code critical} is not
 * used, since some of the calls wait.
 */
@SuppressWarnings("restricted") // the one class that asks the linker for native code
final class Downcall {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");
    private static final FunctionDescriptor LONGS_6 = FunctionDescriptor
            .of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    /** Where a call leaves errno: see {@link #newErrno}. */
    private static final StructLayout ERRNO = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET = ERRNO.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    private Downcall() {}

    /** A function that must be there. */
    static MethodHandle of(String function) {
        MethodHandle handle = ofOptional(function);
        if (handle == null) {
            throw new UnsatisfiedLinkError("the C library has no function " + function);
        }
        return handle;
    }

    /** A function that an older C library may lack: then null. */
    static @org.jspecify.annotations.Nullable MethodHandle ofOptional(String function) {
        MemorySegment symbol = LINKER.defaultLookup().find(function).orElse(null);
        return symbol == null ? null : LINKER.downcallHandle(symbol, LONGS_6, CAPTURE);
    }

    /** man 2 syscall: the number of a call that the C library has no name for, and its six arguments. */
    static MethodHandle syscall() {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("syscall"), LONGS_6.appendArgumentLayouts(JAVA_LONG),
                CAPTURE);
    }

    /** A place for errno; not to be shared by threads that call at the same time. */
    static MemorySegment newErrno(Arena arena) {
        return arena.allocate(ERRNO);
    }

    /** The errno that the last call left there; meaningful only when it failed. */
    static int errno(MemorySegment place) {
        return place.get(ValueLayout.JAVA_INT, ERRNO_OFFSET);
    }

    /** Memory that is mapped already, as a segment that is unmapped with its arena. */
    static MemorySegment mapped(long address, long size, Arena arena, Consumer<MemorySegment> unmap) {
        return MemorySegment.ofAddress(address).reinterpret(size, arena, unmap);
    }

    /** Copies bytes from memory that is known by its address alone. */
    static void copy(long address, byte[] to, int index, int length) {
        MemorySegment.copy(MemorySegment.ofAddress(address).reinterpret(length), ValueLayout.JAVA_BYTE, 0, to, index, length);
    }

    /** For the bindings' catch clauses: a downcall handle declares Throwable, and throws nothing of its own but an Error. */
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
