/** Tests of the TLS settings and engines, and the certificates that all tests of TLS use. */
@NullMarked
package io.trivet.tls;

import org.jspecify.annotations.NullMarked;
