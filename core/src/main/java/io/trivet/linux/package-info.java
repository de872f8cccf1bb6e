/**
 * The Linux kernel, called through java.lang.foreign: sockets, the readiness calls select, poll and epoll, and io_uring. x86-64
 * and aarch64.
 *
 * <ul>
 *   <li>{@link io.trivet.linux.Libc}, {@link io.trivet.linux.PollSyscalls} and {@link io.trivet.linux.Uring} only bind the calls;
 *       they contain no policy.
 *   <li>{@link io.trivet.linux.LinuxSocket} and its subclasses are the sockets.
 *   <li>{@link io.trivet.linux.LinuxPoller} and its three subclasses are the readiness engines;
 *       {@link io.trivet.linux.OneShotPoll} waits once.
 *   <li>{@link io.trivet.linux.UringProactor} and the other {@code Uring} classes are the completion engine.
 * </ul>
 */
@NullMarked
package io.trivet.linux;

import org.jspecify.annotations.NullMarked;
