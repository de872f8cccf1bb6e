/**
 * The Linux kernel, called through java.lang.foreign: sockets, and the readiness calls select, poll and epoll.
 *
 * <p>{@link io.trivet.linux.Libc} and the classes named after a call only bind; they hold no policy. x86-64 and aarch64.
 */
@NullMarked
package io.trivet.linux;

import org.jspecify.annotations.NullMarked;
