package io.trivet.openssl;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The memory through which connections of one thread exchange records with OpenSSL: two BIOs, which all of them share, because each
 * operation takes all of its input and empties the output. So a connection has no buffer of its own.
 *
 * <p>The input is a read-only memory BIO (man 3 BIO_new_mem_buf), whose public structure BUF_MEM is set to the caller's record before
 * each operation: OpenSSL reads it in place. The output is an ordinary memory BIO.
 *
 * <p>One thread at a time. The BIOs are freed when {@link #close} was called and the last connection was freed.
 */
@SuppressWarnings("restricted") // the address of a BUF_MEM comes from OpenSSL
public final class MemoryBios implements AutoCloseable {
    static final int BIO_CTRL_PENDING = 10;
    static final int BIO_C_GET_BUF_MEM_PTR = 115;
    static final int BIO_C_SET_BUF_MEM_EOF_RETURN = 130;
    /** struct buf_mem_st { size_t length; char *data; size_t max; unsigned long flags; }: openssl/buffer.h. */
    static final int BUF_MEM_LENGTH = 0;
    static final int BUF_MEM_DATA = 8;
    static final int BUF_MEM_MAX = 16;
    static final int BUF_MEM_SIZE = 32;

    private static final NativeFunction BIO_NEW = NativeFunction.of("BIO_new");
    private static final NativeFunction BIO_S_MEM = NativeFunction.of("BIO_s_mem");
    private static final NativeFunction BIO_NEW_MEM_BUF = NativeFunction.of("BIO_new_mem_buf");
    private static final NativeFunction BIO_CTRL = NativeFunction.of("BIO_ctrl");
    private static final NativeFunction BIO_READ = NativeFunction.of("BIO_read");
    private static final NativeFunction BIO_WRITE = NativeFunction.of("BIO_write");
    private static final NativeFunction BIO_UP_REF = NativeFunction.of("BIO_up_ref");
    private static final NativeFunction BIO_FREE = NativeFunction.of("BIO_free");
    private static final NativeFunction SSL_SET_BIO = NativeFunction.of("SSL_set_bio");

    /** Size of the area for bytes that are not in a direct buffer: more than any record. */
    private static final int AREA_BYTES = 18 * 1024 + 512;
    /**
     * Number of buffers whose addresses are remembered, and which therefore stay reachable during an operation. A proactor mostly uses
     * few: its own for records, plaintext and output, received memory, and held input.
     */
    private static final int KNOWN = 4;

    private final long input;
    private final long output;
    private final MemorySegment inputFields;
    /** For bytes that are gathered from several buffers, or come from the heap. */
    private final ByteBuffer area;
    private final long areaBase;
    private final @Nullable ByteBuffer[] known = new @Nullable ByteBuffer[KNOWN];
    private final long[] knownBase = new long[KNOWN];
    private int nextKnown;

    private MemoryBios(ByteBuffer area, long input, long output, long inputFields) {
        this.area = area;
        areaBase = NativeMemory.base(area);
        this.input = input;
        this.output = output;
        this.inputFields = MemorySegment.ofAddress(inputFields).reinterpret(BUF_MEM_SIZE);
        clearInput();
    }

    /**
     * Creates BIOs.
     *
     * @return the BIOs, to be closed
     * @throws OutOfMemoryError there is no memory
     */
    public static MemoryBios open() {
        ByteBuffer area = ByteBuffer.allocateDirect(AREA_BYTES);
        byte[] placeholder = {0};
        long input = NativeMemory.withBytes(placeholder, bytes -> BIO_NEW_MEM_BUF.call(bytes, placeholder.length));
        long output = BIO_NEW.call(BIO_S_MEM.call());
        if (input == 0 || output == 0) {
            BIO_FREE.call(input);
            BIO_FREE.call(output);
            throw new OutOfMemoryError("OpenSSL has no memory for a BIO: " + ErrorQueue.take());
        }
        BIO_CTRL.call(input, BIO_C_SET_BUF_MEM_EOF_RETURN, -1); // when it is empty, more will come
        return new MemoryBios(area, input, output,
                NativeMemory.pointer(pointer -> BIO_CTRL.call(input, BIO_C_GET_BUF_MEM_PTR, 0, pointer)));
    }

    /** Returns true if bytes that are set as the input are read from the BIO, and bytes that are written to the output are taken. */
    boolean areUsable() {
        ByteBuffer sample = ByteBuffer.allocateDirect(3).put(new byte[]{1, 2, 3}).flip();
        input(sample);
        boolean reads = BIO_READ.call(input, areaBase, AREA_BYTES) == 3 && area.get(2) == 3 && inputRemaining() == 0
                && (int) BIO_READ.call(input, areaBase, AREA_BYTES) == -1;
        input(new byte[]{4, 5});
        reads &= inputRemaining() == 2 && (int) BIO_CTRL.call(input, BIO_CTRL_PENDING) == 2;
        clearInput();
        BIO_WRITE.call(output, areaBase, 2);
        byte[] written = takeOutput();
        return reads && written.length == 2 && written[1] == 5 && takeOutput().length == 0;
    }

    /**
     * Makes a connection use these BIOs.
     *
     * @param ssl a new SSL
     */
    public void attach(long ssl) {
        BIO_UP_REF.call(input);
        BIO_UP_REF.call(output);
        SSL_SET_BIO.call(ssl, input, output);
    }

    /**
     * Sets the input of the next operation.
     *
     * @param record a direct buffer, of which the bytes from position to limit are the input. It must stay reachable and unchanged
     *     until the operation has returned
     */
    public void input(ByteBuffer record) {
        inputFields.set(ValueLayout.JAVA_LONG, BUF_MEM_DATA, base(record) + record.position());
        inputFields.set(ValueLayout.JAVA_LONG, BUF_MEM_LENGTH, record.remaining());
        inputFields.set(ValueLayout.JAVA_LONG, BUF_MEM_MAX, record.remaining());
    }

    /**
     * Sets the input of the next operation.
     *
     * @param record the input, which is copied: at most the size of a record
     */
    public void input(byte[] record) {
        input(area.clear().put(record).flip());
    }

    /**
     * Returns how much of the input was not read.
     *
     * @return a number of bytes
     */
    public int inputRemaining() {
        return (int) inputFields.get(ValueLayout.JAVA_LONG, BUF_MEM_LENGTH);
    }

    /** Removes the input: what was not read must not become the input of another connection. */
    public void clearInput() {
        inputFields.set(ValueLayout.JAVA_LONG, BUF_MEM_LENGTH, 0);
    }

    /**
     * Encrypts plaintext, gathered from several buffers.
     *
     * @param ssl a connection after its handshake
     * @param plaintext the buffers, whose positions advance
     * @param from the index of the first one
     * @param count their number
     * @param max the maximum number of bytes, at most that of a record
     * @return the number of bytes that were encrypted; not positive: the connection has failed
     */
    public int write(long ssl, ByteBuffer[] plaintext, int from, int count, int max) {
        area.clear().limit(max);
        for (int i = from; i < from + count && area.hasRemaining(); i++) {
            ByteBuffer part = plaintext[i];
            int limit = part.limit();
            part.limit(part.position() + Math.min(part.remaining(), area.remaining()));
            area.put(part);
            part.limit(limit);
        }
        return Libssl.write(ssl, areaBase, area.position());
    }

    /**
     * Decrypts the input.
     *
     * @param ssl a connection after its handshake
     * @param plaintext a direct buffer, whose position advances
     * @return the number of bytes; not positive: see {@link Libssl#read}
     */
    public int read(long ssl, ByteBuffer plaintext) {
        int read = Libssl.read(ssl, base(plaintext) + plaintext.position(), plaintext.remaining());
        if (read > 0) {
            plaintext.position(plaintext.position() + read);
        }
        return read;
    }

    /**
     * Moves the output to a buffer.
     *
     * @param ciphertext a direct buffer, whose position advances
     * @return true if all of the output was moved
     */
    public boolean moveOutput(ByteBuffer ciphertext) {
        int moved = (int) BIO_READ.call(output, base(ciphertext) + ciphertext.position(), ciphertext.remaining());
        ciphertext.position(ciphertext.position() + Math.max(0, moved));
        return ciphertext.hasRemaining() || (int) BIO_CTRL.call(output, BIO_CTRL_PENDING) == 0;
    }

    /**
     * Removes the output, and returns a copy of it.
     *
     * @return the bytes, none if there is no output
     */
    public byte[] takeOutput() {
        if ((int) BIO_CTRL.call(output, BIO_CTRL_PENDING) == 0) {
            return new byte[0];
        }
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int moved = readToArea(); moved > 0; moved = readToArea()) {
            byte[] part = new byte[moved];
            area.clear().get(part);
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private int readToArea() {
        return (int) BIO_READ.call(output, areaBase, AREA_BYTES);
    }

    /** Returns the address of a direct buffer's first byte (index 0). */
    @SuppressWarnings("ReferenceEquality") // equals would compare the bytes
    private long base(ByteBuffer direct) {
        for (int i = 0; i < KNOWN; i++) {
            if (known[i] == direct) {
                return knownBase[i];
            }
        }
        long base = NativeMemory.base(direct);
        known[nextKnown] = direct;
        knownBase[nextKnown] = base;
        nextKnown = (nextKnown + 1) % KNOWN;
        return base;
    }

    /**
     * Returns the size of the memory that each of these objects has, apart from OpenSSL's own.
     *
     * @return a number of bytes
     */
    public static int bytes() {
        return AREA_BYTES;
    }

    @Override
    public void close() {
        BIO_FREE.call(input);
        BIO_FREE.call(output);
    }
}
