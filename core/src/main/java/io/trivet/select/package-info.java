/**
 * The classic {@code select} call for Java.
 *
 * <p>{@link io.trivet.select.Select} waits until sockets are readable, writable or exceptional; exceptional means that urgent data has
 * arrived. It has two forms: lists of objects, as in Python, and {@link io.trivet.select.FdSet}s, as in C.
 */
@NullMarked
package io.trivet.select;

import org.jspecify.annotations.NullMarked;
