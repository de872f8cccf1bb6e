/**
 * OpenSSL 3, called through {@code java.lang.foreign}: bindings of the functions of libssl and libcrypto that {@code io.trivet.tls} needs. There is no
 * native code of our own, and nothing is loaded before the first use.
 *
 * <p>Addresses are {@code long}s; 0 is C's NULL. The constants have the values of OpenSSL's headers, which {@code OpenSslHeadersTest}
 * compares. Nothing here is for users.
 *
 * <p>Source: the man pages of OpenSSL 3.0, sections 3 and 7.
 */
@NullMarked
package io.trivet.openssl;

import org.jspecify.annotations.NullMarked;
