/** The command line: {@code trivet serve}, {@code connect}, {@code engines} and {@code sim}. */
@org.jspecify.annotations.NullMarked
package io.trivet.app;
