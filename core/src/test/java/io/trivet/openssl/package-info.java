/** Tests of the bindings of OpenSSL. */
@NullMarked
package io.trivet.openssl;

import org.jspecify.annotations.NullMarked;
