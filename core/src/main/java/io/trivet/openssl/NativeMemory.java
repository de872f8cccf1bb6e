package io.trivet.openssl;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.function.LongConsumer;
import java.util.function.LongToIntFunction;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/** Access to C memory by its address, for calls that are not on a hot path. */
@SuppressWarnings("restricted") // the addresses and sizes come from OpenSSL
final class NativeMemory {
    /** Maximum length of a C string that is read: names and messages of OpenSSL. */
    private static final int STRING_BYTES_MAX = 4096;

    private NativeMemory() {}

    /** Returns the C string at an address, or null for NULL. */
    static @Nullable String string(long address) {
        return address == 0 ? null : MemorySegment.ofAddress(address).reinterpret(STRING_BYTES_MAX).getString(0);
    }

    /** Returns a copy of the bytes at an address. */
    static byte[] bytes(long address, int length) {
        return MemorySegment.ofAddress(address).reinterpret(length).toArray(JAVA_BYTE);
    }

    static void putLong(long address, long value) {
        MemorySegment.ofAddress(address).reinterpret(Long.BYTES).set(ValueLayout.JAVA_LONG, 0, value);
    }

    static void putByte(long address, byte value) {
        MemorySegment.ofAddress(address).reinterpret(1).set(JAVA_BYTE, 0, value);
    }

    /** Returns the address of a direct buffer's first byte (index 0). The caller keeps the buffer reachable while it is used. */
    static long base(ByteBuffer direct) {
        return MemorySegment.ofBuffer(direct.duplicate().clear()).address();
    }

    /** Calls a function with the address of a C string, which is valid during the call. */
    static long withString(String text, LongUnaryOperator function) {
        try (Arena arena = Arena.ofConfined()) {
            return function.applyAsLong(arena.allocateFrom(text).address());
        }
    }

    /** Calls a function with the address of a copy of bytes, which is valid during the call, and is then overwritten with zeros. */
    static long withBytes(byte[] bytes, LongUnaryOperator function) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocateFrom(JAVA_BYTE, bytes);
            try {
                return function.applyAsLong(copy.address());
            } finally {
                copy.fill((byte) 0);
            }
        }
    }

    /** Calls a d2i function: it gets the address of a pointer to the bytes. Returns the object, or 0 if the bytes are no such. */
    static long decode(byte[] encoded, LongUnaryOperator function) {
        return withBytes(encoded, bytes -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment pointer = arena.allocate(ADDRESS);
                pointer.set(ValueLayout.JAVA_LONG, 0, bytes);
                return function.applyAsLong(pointer.address());
            }
        });
    }

    /**
     * Calls an i2d function, which allocates: it gets the address of a pointer to NULL, and returns a length. Returns a copy of the bytes;
     * null if it has failed.
     */
    static byte @Nullable [] encode(LongToIntFunction function, LongConsumer free) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = arena.allocate(ADDRESS);
            int length = function.applyAsInt(pointer.address());
            long address = pointer.get(ValueLayout.JAVA_LONG, 0);
            if (length <= 0 || address == 0) {
                return null;
            }
            byte[] copy = bytes(address, length);
            free.accept(address);
            return copy;
        }
    }

    /** Calls a function that stores a pointer, and returns that pointer. */
    static long pointer(LongConsumer function) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = arena.allocate(ADDRESS);
            function.accept(pointer.address());
            return pointer.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** What a function stores through a pointer to a pointer and a pointer to an unsigned int. */
    interface PointerAndLength {
        void call(long pointerToPointer, long pointerToLength);
    }

    /** Calls a function that returns bytes by two pointers. Returns a copy of them; null for none. */
    static byte @Nullable [] result(PointerAndLength function) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = arena.allocate(ADDRESS);
            MemorySegment length = arena.allocate(ValueLayout.JAVA_INT);
            function.call(pointer.address(), length.address());
            long address = pointer.get(ValueLayout.JAVA_LONG, 0);
            int bytes = length.get(ValueLayout.JAVA_INT, 0);
            return address == 0 || bytes == 0 ? null : bytes(address, bytes);
        }
    }
}
