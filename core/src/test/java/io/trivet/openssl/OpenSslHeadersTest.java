package io.trivet.openssl;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.linux.CHeaders;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The numbers that were copied from OpenSSL's headers match the headers. */
final class OpenSslHeadersTest {
    private static final List<Class<?>> CLASSES = List.of(Libssl.class, LibsslContext.class, Libcrypto.class, MemoryBios.class,
            ErrorQueue.class);

    @Test
    void constantsHaveTheValuesOfTheHeaders() throws Exception {
        CHeaders headers = new CHeaders(List.of("openssl/ssl.h", "openssl/err.h", "openssl/x509v3.h", "openssl/bio.h",
                "openssl/buffer.h"));
        for (Class<?> type : CLASSES) {
            for (Field field : type.getDeclaredFields()) {
                boolean isNumber = field.getType() == int.class || field.getType() == long.class;
                if (isNumber && Modifier.isStatic(field.getModifiers()) && !Modifier.isPrivate(field.getModifiers())
                        && !field.getName().startsWith("BUF_MEM_")) {
                    headers.value(field.getName(), field.getType() == int.class ? field.getInt(null) : field.getLong(null));
                }
            }
        }
        headers.size("BUF_MEM", MemoryBios.BUF_MEM_SIZE).field("BUF_MEM", "length", MemoryBios.BUF_MEM_LENGTH, Long.BYTES)
                .field("BUF_MEM", "data", MemoryBios.BUF_MEM_DATA, Long.BYTES)
                .field("BUF_MEM", "max", MemoryBios.BUF_MEM_MAX, Long.BYTES);
        assertThat(headers.mismatchesOn("amd64")).isEmpty();
    }
}
