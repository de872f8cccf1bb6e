package io.trivet.tls;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The TLS protocol of one connection, without any input or output: turns the peer's records into plaintext, and plaintext into
 * records. The caller moves the bytes, finds where records end, and owns all buffers. An engine keeps no plaintext and no
 * ciphertext between two calls, except handshake messages.
 *
 * <p><b>The caller's duty.</b> After each call, and after creation, the caller looks in this order, until there is nothing left to
 * do:
 *
 * <ol>
 *   <li>If {@link #hasTask}, it calls {@link #runTask}, now or in a later turn. Until then it calls no other method that changes
 *       something.
 *   <li>If {@link #hasOutput}, it calls {@link #wrapOutput} and sends the result.
 *   <li>If a whole record has arrived, it calls {@link #unwrap}.
 * </ol>
 *
 * <p><b>Failure.</b> If a method throws, the connection has failed for good. An alert for the peer may then be available: {@link
 * #hasOutput}, {@link #wrapOutput}. Whatever a peer sends, a method ends in one of its results or in an {@link IOException}, never in
 * another exception. A message describes the failure in one line, and names neither keys nor plaintext.
 *
 * <p><b>Memory.</b> Buffers are direct, and need not have an array. Their positions advance over the bytes that were read or written;
 * their limits stay. The engine keeps no reference to them.
 *
 * <p><b>Threads.</b> One at a time. {@link #info} may be called by any thread after the handshake.
 */
interface TlsEngine {
    /** Bytes of a record's header: content type, version (2 bytes), length of the rest (2 bytes, big-endian). */
    int HEADER_BYTES = 5;
    /** Maximum number of plaintext bytes in a record: RFC 8446, section 5.1. */
    int PLAINTEXT_BYTES_MAX = 16_384;
    /**
     * Maximum size of a record with its header. TLS 1.2 allows 2,048 bytes of expansion (RFC 5246, section 6.2.3), TLS 1.3 allows 256.
     */
    int RECORD_BYTES_MAX = HEADER_BYTES + PLAINTEXT_BYTES_MAX + 2_048;

    /** Returns true if {@link #unwrap} leaves the bytes of a record as they are, so that received memory needs no copy. */
    boolean keepsRecords();

    /**
     * Returns true until the handshake has been completed on this side: all its messages were received and verified, and the own
     * ones were wrapped. Never becomes true again: there is no renegotiation, and key updates and tickets of TLS 1.3 are no handshake
     * in this sense.
     */
    boolean isHandshaking();

    /**
     * Returns true if the engine has to do an expensive computation, such as a signature or the verification of a chain, before it
     * can continue.
     */
    boolean hasTask();

    /** Runs the computation. If it fails, the next call that changes something throws. */
    void runTask();

    /**
     * Returns true if the engine itself has something to send: a handshake message, a key update, an alert, a close_notify. After
     * a failure: true if there is an alert to send.
     */
    boolean hasOutput();

    /**
     * Puts records of the engine's own output, or a part of one, into a buffer. The caller repeats this while {@link #hasOutput}.
     *
     * @param ciphertext has room for at least {@link #RECORD_BYTES_MAX} bytes
     * @throws IOException the handshake or the connection has failed
     */
    void wrapOutput(ByteBuffer ciphertext) throws IOException;

    /**
     * Encrypts plaintext into one record, of up to {@link #PLAINTEXT_BYTES_MAX} bytes gathered from the given buffers. Called only
     * after the handshake.
     *
     * @param plaintext the buffers, of which some may be empty; not all of them are
     * @param from the index of the first buffer
     * @param count the number of buffers
     * @param ciphertext has room for at least {@link #RECORD_BYTES_MAX} bytes
     * @return the number of plaintext bytes that were encrypted; or 0: instead, output of the engine itself was put into the buffer, and
     *     the caller repeats the call; or -1, with nothing put into the buffer: the output has ended
     * @throws IOException the connection has failed
     */
    int wrap(ByteBuffer[] plaintext, int from, int count, ByteBuffer ciphertext) throws IOException;

    /**
     * Processes one record of the peer: decrypts it, or handles its handshake message, alert or close_notify. Called only if {@link
     * #hasTask} and {@link #hasOutput} are false.
     *
     * @param record exactly one whole record, from position to limit, at most {@link #RECORD_BYTES_MAX} bytes
     * @param plaintext gets the decrypted application data
     * @return true if the record was processed, and the position is at the limit. False if the plaintext buffer has too little room:
     *     nothing was processed, and the caller repeats the call with more. {@link #RECORD_BYTES_MAX} bytes are always enough
     * @throws IOException the record is forged, not allowed now, or a fatal alert; or the handshake has failed. A record that would
     *     start a renegotiation is refused
     */
    boolean unwrap(ByteBuffer record, ByteBuffer plaintext) throws IOException;

    /** Returns true if the peer's close_notify was received: no application data follows it. */
    boolean hasInputEnded();

    /**
     * Ends the output: a close_notify becomes available as {@link #hasOutput}, unless one was sent already. With TLS 1.3, the input
     * continues. Called only after the handshake.
     */
    void endOutput();

    /**
     * Returns true if no application data can be sent any more: after {@link #endOutput}; and if this engine does not support a
     * half-close in TLS 1.2, after {@link #hasInputEnded}.
     */
    boolean hasOutputEnded();

    /** Returns what was negotiated. Called only after the handshake; the result is immutable. */
    TlsInfo info();

    /** Releases what the engine holds outside of the heap. No other method is called afterwards, except {@link #info}. */
    void free();
}
