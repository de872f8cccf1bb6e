/**
 * The three lists: {@code select} as the textbooks have it, for Java.
 *
 * <p>{@link io.trivet.select.Select} waits until sockets are readable, writable or exceptional; the third list is urgent data. Both
 * forms are here: lists of objects, as in Python, and {@link io.trivet.select.FdSet}s, as in C.
 */
@NullMarked
package io.trivet.select;

import org.jspecify.annotations.NullMarked;
