/** The command line: {@code trivet serve}, {@code trivet connect}, {@code trivet engines}. */
@org.jspecify.annotations.NullMarked
package io.trivet.app;
