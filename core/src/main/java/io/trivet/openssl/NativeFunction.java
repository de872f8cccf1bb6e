package io.trivet.openssl;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * A C function of OpenSSL. All have the same form: six {@code long} arguments and a {@code long} result. On x86-64 and aarch64 each of the
 * first six integer arguments occupies a whole register, whatever its C type, and a function ignores registers for which it has no
 * parameter. So this form fits every function, and all share one compiled stub.
 *
 * <p>A result whose C type is {@code int} must be cast to int: the upper half of the register is undefined. The functions are not
 * {@code critical}, because a handshake takes a millisecond and calls back.
 *
 * <p>A record, and each function is in a constant: then the JIT compiler treats the handle as a constant, and inlines the call.
 *
 * @param handle the method handle
 */
@SuppressWarnings("restricted") // loading a library and calling its functions is what this class is for
record NativeFunction(MethodHandle handle) {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final FunctionDescriptor LONGS_6 = FunctionDescriptor
            .of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    /** The libraries, loaded once and never unloaded. Fails to initialize if they are not there: see {@link OpenSslLibrary}. */
    private static final class Libraries {
        static final SymbolLookup SYMBOLS = SymbolLookup.libraryLookup("libssl.so.3", Arena.global())
                .or(SymbolLookup.libraryLookup("libcrypto.so.3", Arena.global()));
    }

    /** Returns a function, which must exist. */
    static NativeFunction of(String name) {
        NativeFunction function = ofOptional(name);
        if (function == null) {
            throw new UnsatisfiedLinkError("libssl.so.3 has no function " + name);
        }
        return function;
    }

    /** Returns a function, or null if this version of OpenSSL does not have it. */
    static @Nullable NativeFunction ofOptional(String name) {
        MemorySegment symbol = Libraries.SYMBOLS.find(name).orElse(null);
        return symbol == null ? null : new NativeFunction(LINKER.downcallHandle(symbol, LONGS_6));
    }

    long call(long a, long b, long c, long d, long e, long f) {
        try {
            return (long) handle.invokeExact(a, b, c, d, e, f);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    long call() {
        return call(0, 0, 0, 0, 0, 0);
    }

    long call(long a) {
        return call(a, 0, 0, 0, 0, 0);
    }

    long call(long a, long b) {
        return call(a, b, 0, 0, 0, 0);
    }

    long call(long a, long b, long c) {
        return call(a, b, c, 0, 0, 0);
    }

    long call(long a, long b, long c, long d) {
        return call(a, b, c, d, 0, 0);
    }

    /** A method handle declares Throwable, but a downcall throws only errors and unchecked exceptions. */
    private static AssertionError unexpected(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        if (thrown instanceof RuntimeException exception) {
            throw exception;
        }
        return new AssertionError("a downcall threw a checked exception", thrown);
    }
}
