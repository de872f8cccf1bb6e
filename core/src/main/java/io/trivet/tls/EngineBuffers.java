package io.trivet.tls;

import io.trivet.openssl.MemoryBios;
import org.jspecify.annotations.Nullable;

/** What the engines of one {@link TlsProactor} share, because each call leaves it empty. Allocated when an engine needs it. One thread. */
final class EngineBuffers implements AutoCloseable {
    private @Nullable MemoryBios bios;

    /**
     * Returns the memory through which engines of OpenSSL exchange records.
     *
     * @throws TlsException there is no memory
     */
    MemoryBios bios() throws TlsException {
        MemoryBios allocated = bios;
        if (allocated == null) {
            try {
                allocated = MemoryBios.open();
            } catch (OutOfMemoryError e) {
                throw new TlsException(
                        "there is no direct memory for the engine of OpenSSL: -XX:MaxDirectMemorySize raises the limit", e);
            }
            bios = allocated;
        }
        return allocated;
    }

    /** Returns the size of the memory that was allocated. */
    int bytes() {
        return bios == null ? 0 : MemoryBios.bytes();
    }

    @Override
    public void close() {
        if (bios != null) {
            bios.close();
            bios = null;
        }
    }
}
