package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.ErrorCode;
import io.trivet.select.FdSet;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The numbers that were copied from C's headers match the headers, on both architectures. */
class LayoutTest {
    private static final List<String> HEADERS = List.of("errno.h", "fcntl.h", "poll.h", "sys/file.h", "netinet/in.h",
            "netinet/tcp.h",
            "sys/epoll.h", "sys/eventfd.h", "sys/select.h", "sys/socket.h", "sys/uio.h", "sys/un.h", "time.h",
            "unistd.h");
    private static final List<String> RING_HEADERS = List.of("linux/io_uring.h", "sys/mman.h", "sys/socket.h", "sys/syscall.h");

    /** Sizes and offsets without a name in C. Each is checked with its structure below. */
    private static final List<String> NO_C_NAME = List.of("LINGER_SIZE", "L_LINGER", "UCRED_SIZE", "UCRED_UID", "UCRED_GID");

    @ParameterizedTest
    @ValueSource(strings = {"amd64", "aarch64"})
    void constantsHaveTheValuesOfTheCHeaders(String architecture) throws Exception {
        CHeaders headers = new CHeaders(HEADERS);
        for (Class<?> type : List.of(Libc.class, Options.class, PollBits.class, Errno.class, EpollPoller.class)) {
            List<Field> constants = constants(type).toList();
            assertThat(constants).as("constants of " + type).isNotEmpty();
            for (Field constant : constants) {
                headers.value(constant.getName(), constant.getInt(null));
            }
        }
        headers.value("FD_SETSIZE", FdSet.SETSIZE);
        assertThat(headers.mismatchesOn(architecture)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"amd64", "aarch64"})
    void epollSharesTheBitsOfPoll(String architecture) throws Exception {
        CHeaders headers = new CHeaders(HEADERS);
        for (Field constant : constants(PollBits.class).toList()) {
            if (!constant.getName().equals("POLLNVAL")) { // epoll does not report it
                headers.value("E" + constant.getName(), constant.getInt(null));
            }
        }
        assertThat(headers.mismatchesOn(architecture)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"amd64", "aarch64"})
    void everyErrorHasTheNumberOfTheCHeaders(String architecture) throws Exception {
        CHeaders headers = new CHeaders(HEADERS);
        for (ErrorCode code : ErrorCode.values()) {
            if (code != ErrorCode.OTHER) {
                List<Integer> numbers = IntStream.range(1, 4096).filter(n -> ErrorCode.of(n) == code).boxed().toList();
                assertThat(numbers).as("numbers of " + code).hasSize(1);
                headers.value(code.name(), numbers.getFirst());
            }
        }
        assertThat(headers.mismatchesOn(architecture)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"amd64", "aarch64"})
    void structuresAreLaidOutAsInC(String architecture) throws Exception {
        CHeaders headers = new CHeaders(HEADERS)
                .size("struct sockaddr_in", SocketAddress.SIZE_4)
                .field("struct sockaddr_in", "sin_family", 0, 2)
                .field("struct sockaddr_in", "sin_port", SocketAddress.SIN_PORT, 2)
                .field("struct sockaddr_in", "sin_addr", SocketAddress.SIN_ADDR, 4)
                .size("struct sockaddr_in6", SocketAddress.SIZE_6)
                .field("struct sockaddr_in6", "sin6_family", 0, 2)
                .field("struct sockaddr_in6", "sin6_port", SocketAddress.SIN_PORT, 2)
                .field("struct sockaddr_in6", "sin6_addr", SocketAddress.SIN6_ADDR, 16)
                .field("struct sockaddr_in6", "sin6_scope_id", SocketAddress.SIN6_SCOPE_ID, 4)
                .size("struct msghdr", Scratch.MSGHDR_SIZE)
                .field("struct msghdr", "msg_iov", Scratch.MSG_IOV, 8)
                .field("struct msghdr", "msg_iovlen", Scratch.MSG_IOVLEN, 8)
                .field("struct msghdr", "msg_control", PassedDescriptors.MSG_CONTROL, 8)
                .field("struct msghdr", "msg_controllen", PassedDescriptors.MSG_CONTROLLEN, 8)
                .field("struct msghdr", "msg_flags", PassedDescriptors.MSG_FLAGS, 4)
                .size("struct cmsghdr", PassedDescriptors.CMSG_SIZE)
                .field("struct cmsghdr", "cmsg_len", 0, 8)
                .field("struct cmsghdr", "cmsg_level", PassedDescriptors.CMSG_LEVEL, 4)
                .field("struct cmsghdr", "cmsg_type", PassedDescriptors.CMSG_TYPE, 4)
                .size("struct sockaddr_un", UnixSocketAddress.SUN_SIZE)
                .field("struct sockaddr_un", "sun_path", UnixSocketAddress.SUN_PATH, 108)
                .size("struct ucred", Options.UCRED_SIZE)
                .field("struct ucred", "pid", 0, 4)
                .field("struct ucred", "uid", Options.UCRED_UID, 4)
                .field("struct ucred", "gid", Options.UCRED_GID, 4)
                .size("struct iovec", Scratch.IOVEC_SIZE)
                .field("struct iovec", "iov_base", 0, 8)
                .field("struct iovec", "iov_len", Scratch.IOV_LEN, 8)
                .size("struct timespec", Timeout.TIMESPEC_SIZE)
                .field("struct timespec", "tv_sec", 0, 8)
                .field("struct timespec", "tv_nsec", Timeout.TV_NSEC, 8)
                .size("struct pollfd", PollPoller.POLLFD_SIZE)
                .field("struct pollfd", "fd", 0, 4)
                .field("struct pollfd", "events", PollPoller.POLLFD_EVENTS, 2)
                .field("struct pollfd", "revents", PollPoller.POLLFD_REVENTS, 2)
                .size("struct linger", Options.LINGER_SIZE)
                .field("struct linger", "l_onoff", 0, 4)
                .field("struct linger", "l_linger", Options.L_LINGER, 4)
                .size("struct epoll_event", EpollPoller.eventSize(architecture))
                .field("struct epoll_event", "events", 0, 4)
                .field("struct epoll_event", "data", EpollPoller.dataOffset(architecture), 8);
        assertThat(headers.mismatchesOn(architecture)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"amd64", "aarch64"})
    void ringConstantsHaveTheValuesOfTheCHeaders(String architecture) throws Exception {
        CHeaders headers = new CHeaders(RING_HEADERS);
        for (Field constant : constants(Uring.class).toList()) {
            String name = constant.getName();
            if (!List.of("SQE_SIZE", "CQE_SIZE", "CQE_RES", "CQE_FLAGS").contains(name)) { // checked by their structures
                headers.value(nameInC(name), constant.getInt(null));
            }
        }
        headers.value("IORING_OFF_SQ_RING", Uring.OFF_SQ_RING)
                .value("IORING_OFF_SQES", Uring.OFF_SQES)
                .value("IO_URING_OP_SUPPORTED", UringProbe.OP_SUPPORTED)
                .valueIfKnown("IORING_SETUP_NO_SQARRAY", Ring.SETUP_NO_SQARRAY);
        assertThat(headers.mismatchesOn(architecture)).isEmpty();
    }

    /** In C a prefix, in Java the class groups the constants. */
    private static String nameInC(String java) {
        return switch (java) {
            case "MSG_DONTWAIT", "MSG_WAITALL" -> java;
            case "PROT_READ_WRITE" -> "PROT_READ | PROT_WRITE";
            case "MAP_SHARED_POPULATE" -> "MAP_SHARED | MAP_POPULATE";
            case "MAP_PRIVATE_ANONYMOUS_NORESERVE" -> "MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE";
            case "SYS_SETUP", "SYS_ENTER", "SYS_REGISTER" -> "SYS_io_uring_" + java.substring(4).toLowerCase(Locale.ROOT);
            case "SQE_BUFFER_SELECT", "SQE_CQE_SKIP_SUCCESS" -> "IO" + java;
            case "CANCEL_ALL", "CANCEL_ANY" -> "IORING_ASYNC_" + java;
            case "CQE_BUFFER", "CQE_MORE" -> "IORING_CQE_F_" + java.substring(4);
            default -> "IORING_" + java;
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"amd64", "aarch64"})
    void ringStructuresAreLaidOutAsInC(String architecture) throws Exception {
        CHeaders headers = new CHeaders(RING_HEADERS)
                .size("struct io_uring_params", Ring.PARAMS_SIZE)
                .field("struct io_uring_params", "sq_entries", Ring.PARAMS_SQ_ENTRIES, 4)
                .field("struct io_uring_params", "cq_entries", Ring.PARAMS_CQ_ENTRIES, 4)
                .field("struct io_uring_params", "flags", Ring.PARAMS_FLAGS, 4)
                .field("struct io_uring_params", "features", Ring.PARAMS_FEATURES, 4)
                .field("struct io_uring_params", "sq_off", Ring.SQ_OFF, 40)
                .field("struct io_uring_params", "cq_off", Ring.CQ_OFF, 40)
                .field("struct io_sqring_offsets", "head", Ring.OFF_HEAD, 4)
                .field("struct io_sqring_offsets", "tail", Ring.OFF_TAIL, 4)
                .field("struct io_sqring_offsets", "flags", Ring.SQ_OFF_FLAGS, 4)
                .field("struct io_sqring_offsets", "array", Ring.SQ_OFF_ARRAY, 4)
                .field("struct io_cqring_offsets", "head", Ring.OFF_HEAD, 4)
                .field("struct io_cqring_offsets", "tail", Ring.OFF_TAIL, 4)
                .field("struct io_cqring_offsets", "cqes", Ring.CQ_OFF_CQES, 4)
                .size("struct io_uring_sqe", Uring.SQE_SIZE)
                .field("struct io_uring_sqe", "opcode", 0, 1)
                .field("struct io_uring_sqe", "flags", 1, 1)
                .field("struct io_uring_sqe", "ioprio", 2, 2)
                .field("struct io_uring_sqe", "fd", 4, 4)
                .field("struct io_uring_sqe", "addr", Ring.SQE_ADDR, 8)
                .field("struct io_uring_sqe", "len", Ring.SQE_LEN, 4)
                .field("struct io_uring_sqe", "msg_flags", Ring.SQE_LEN + 4, 4)
                .field("struct io_uring_sqe", "poll32_events", Ring.SQE_LEN + 4, 4)
                .field("struct io_uring_sqe", "cancel_flags", Ring.SQE_LEN + 4, 4)
                .field("struct io_uring_sqe", "user_data", Ring.SQE_USER_DATA, 8)
                .field("struct io_uring_sqe", "buf_group", Ring.SQE_BUF_GROUP, 2)
                .size("struct io_uring_cqe", Uring.CQE_SIZE)
                .field("struct io_uring_cqe", "user_data", 0, 8)
                .field("struct io_uring_cqe", "res", Uring.CQE_RES, 4)
                .field("struct io_uring_cqe", "flags", Uring.CQE_FLAGS, 4)
                .size("struct io_uring_getevents_arg", Ring.WAIT_SIZE)
                .field("struct io_uring_getevents_arg", "sigmask_sz", Ring.WAIT_SIGMASK_SIZE, 4)
                .field("struct io_uring_getevents_arg", "ts", Ring.WAIT_TIMESPEC, 8)
                .size("struct io_uring_buf", BufferRing.ENTRY_SIZE)
                .field("struct io_uring_buf", "addr", 0, 8)
                .field("struct io_uring_buf", "len", BufferRing.ENTRY_LEN, 4)
                .field("struct io_uring_buf", "bid", BufferRing.ENTRY_BID, 2)
                .field("struct io_uring_buf_ring", "tail", BufferRing.ENTRY_TAIL, 2)
                .size("struct io_uring_buf_reg", BufferRing.REGISTRATION_SIZE)
                .field("struct io_uring_buf_reg", "ring_addr", 0, 8)
                .field("struct io_uring_buf_reg", "ring_entries", BufferRing.REGISTRATION_ENTRIES, 4)
                .field("struct io_uring_buf_reg", "bgid", BufferRing.REGISTRATION_GROUP, 2)
                .size("struct io_uring_probe", UringProbe.PROBE_HEAD)
                .size("struct io_uring_probe_op", UringProbe.PROBE_OP)
                .field("struct io_uring_probe_op", "flags", UringProbe.PROBE_OP_FLAGS, 2);
        assertThat(headers.mismatchesOn(architecture)).isEmpty();
    }

    /** Assumptions of the bindings: every argument fits a register, and a set's words and a pollfd can be written as longs. */
    @ParameterizedTest
    @ValueSource(strings = {"amd64", "aarch64"})
    void machineIsLittleEndianWith64Bits(String architecture) throws Exception {
        CHeaders headers = new CHeaders(HEADERS)
                .value("__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__", 1)
                .size("void*", 8)
                .size("long", 8)
                .size("size_t", 8)
                .size("nfds_t", 8)
                .size("int", 4)
                .size("socklen_t", 4)
                .size("fd_mask", 8);
        assertThat(headers.mismatchesOn(architecture)).isEmpty();
    }

    @Test
    void epollEventsArePackedOnOneArchitectureOnly() {
        assertThat(EpollPoller.eventSize("amd64")).isEqualTo(12);
        assertThat(EpollPoller.dataOffset("amd64")).isEqualTo(4);
        assertThat(EpollPoller.eventSize("aarch64")).isEqualTo(16);
        assertThat(EpollPoller.dataOffset("aarch64")).isEqualTo(8);
    }

    /** Proves that the tests above can fail. */
    @ParameterizedTest
    @ValueSource(strings = {"amd64", "aarch64"})
    void wrongValueIsDetected(String architecture) throws Exception {
        CHeaders headers = new CHeaders(HEADERS).value("AF_INET", 2).value("AF_INET6", 11);
        assertThat(headers.mismatchesOn(architecture)).singleElement().asString().contains("AF_INET6 is not 11");
        assertThat(new CHeaders(HEADERS).value("NO_SUCH_CONSTANT", 1).mismatchesOn(architecture)).isNotEmpty();
    }

    private static Stream<Field> constants(Class<?> type) {
        return Arrays.stream(type.getDeclaredFields())
                .filter(field -> field.getType() == int.class)
                .filter(field -> Modifier.isStatic(field.getModifiers()) && !Modifier.isPrivate(field.getModifiers()))
                .filter(field -> !NO_C_NAME.contains(field.getName()));
    }
}
