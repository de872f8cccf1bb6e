package io.trivet.openssl;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The functions that OpenSSL calls within a server's handshake. An exception never reaches OpenSSL, which could not handle it: the
 * handshake fails with an alert.
 */
@SuppressWarnings("restricted") // OpenSSL gets the addresses of two functions
public final class HandshakeCallbacks {
    private static final int SSL_TLSEXT_ERR_OK = 0;
    private static final int SSL_TLSEXT_ERR_ALERT_FATAL = 2;

    private static final Map<Long, HandshakeChoices> REGISTERED = new ConcurrentHashMap<>();
    private static final AtomicLong NUMBERS = new AtomicLong();
    private static final NativeFunction SSL_SET_SSL_CTX = NativeFunction.of("SSL_set_SSL_CTX");
    /** Address of a function for SSL_CTX_set_tlsext_servername_callback. */
    static final long SERVER_NAME = function("serverName",
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    /** Address of a function for SSL_CTX_set_alpn_select_cb. */
    static final long APPLICATION_PROTOCOL = function("applicationProtocol",
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG));

    private HandshakeCallbacks() {}

    /**
     * Makes choices callable.
     *
     * @param choices the choices
     * @return their number
     */
    public static long register(HandshakeChoices choices) {
        long number = NUMBERS.incrementAndGet();
        REGISTERED.put(number, choices);
        return number;
    }

    /**
     * Ends a registration. Handshakes that still call back fail.
     *
     * @param number the number of {@link #register}
     */
    public static void remove(long number) {
        REGISTERED.remove(number);
    }

    private static long function(String method, FunctionDescriptor descriptor) {
        try {
            MethodType type = descriptor.toMethodType();
            MethodHandle handle = MethodHandles.lookup().findStatic(HandshakeCallbacks.class, method, type);
            return Linker.nativeLinker().upcallStub(handle, descriptor, Arena.global()).address();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** int callback(SSL *ssl, int *alert, void *arg): man 3 SSL_CTX_set_tlsext_servername_callback. */
    @SuppressWarnings("unused") // called by OpenSSL
    private static int serverName(long ssl, long alert, long number) {
        try {
            HandshakeChoices choices = REGISTERED.get(number);
            if (choices == null) {
                return SSL_TLSEXT_ERR_ALERT_FATAL;
            }
            long context = choices.context(Libssl.serverName(ssl));
            return context == 0 || SSL_SET_SSL_CTX.call(ssl, context) != 0 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
        } catch (RuntimeException | Error e) {
            return SSL_TLSEXT_ERR_ALERT_FATAL;
        }
    }

    /**
     * int callback(SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in, unsigned int inlen, void
     * *arg): man 3 SSL_CTX_set_alpn_select_cb. What is chosen must point into what was offered.
     */
    @SuppressWarnings("unused") // called by OpenSSL
    private static int applicationProtocol(long ssl, long chosen, long chosenLength, long offered, int length, long number) {
        try {
            HandshakeChoices choices = REGISTERED.get(number);
            if (choices == null) {
                return SSL_TLSEXT_ERR_ALERT_FATAL;
            }
            byte[] list = NativeMemory.bytes(offered, length);
            List<String> names = new ArrayList<>();
            List<Integer> starts = new ArrayList<>();
            for (int i = 0; i < length; i += 1 + (list[i] & 0xff)) {
                int size = Math.min(list[i] & 0xff, length - i - 1);
                names.add(new String(list, i + 1, size, StandardCharsets.ISO_8859_1));
                starts.add(i);
            }
            String name = choices.applicationProtocol(names);
            int index = name == null ? -1 : names.indexOf(name);
            if (index < 0) {
                return SSL_TLSEXT_ERR_ALERT_FATAL;
            }
            NativeMemory.putLong(chosen, offered + starts.get(index) + 1);
            NativeMemory.putByte(chosenLength, list[starts.get(index)]);
            return SSL_TLSEXT_ERR_OK;
        } catch (RuntimeException | Error e) {
            return SSL_TLSEXT_ERR_ALERT_FATAL;
        }
    }
}
