package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.ErrorCode;
import io.trivet.select.FdSet;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The numbers that were copied from C's headers are those of the headers, on both architectures. */
class LayoutTest {
    private static final List<String> HEADERS = List.of("errno.h", "fcntl.h", "poll.h", "netinet/in.h", "netinet/tcp.h",
            "sys/epoll.h", "sys/eventfd.h", "sys/select.h", "sys/socket.h", "sys/uio.h", "time.h");

    /** Sizes and offsets, which have no name in C: each is checked by its structure below. */
    private static final List<String> NO_C_NAME = List.of("LINGER_SIZE", "L_LINGER");

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
        assertThat(headers.falseOn(architecture)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"amd64", "aarch64"})
    void epollSharesTheBitsOfPoll(String architecture) throws Exception {
        CHeaders headers = new CHeaders(HEADERS);
        for (Field constant : constants(PollBits.class).toList()) {
            if (!constant.getName().equals("POLLNVAL")) { // epoll knows its descriptors
                headers.value("E" + constant.getName(), constant.getInt(null));
            }
        }
        assertThat(headers.falseOn(architecture)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"amd64", "aarch64"})
    void everyErrorHasTheNumberOfTheCHeaders(String architecture) throws Exception {
        CHeaders headers = new CHeaders(HEADERS);
        for (ErrorCode code : ErrorCode.values()) {
            if (code != ErrorCode.OTHER) {
                List<Integer> numbers = IntStream.range(1, 4096).filter(n -> Errno.code(n) == code).boxed().toList();
                assertThat(numbers).as("numbers of " + code).hasSize(1);
                headers.value(code.name(), numbers.getFirst());
            }
        }
        assertThat(headers.falseOn(architecture)).isEmpty();
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
        assertThat(headers.falseOn(architecture)).isEmpty();
    }

    /** What the bindings take for granted: every argument fits a register, and a set's words and a pollfd can be made of longs. */
    @ParameterizedTest
    @ValueSource(strings = {"amd64", "aarch64"})
    void theMachineIsLittleEndianWith64Bits(String architecture) throws Exception {
        CHeaders headers = new CHeaders(HEADERS)
                .value("__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__", 1)
                .size("void*", 8)
                .size("long", 8)
                .size("size_t", 8)
                .size("nfds_t", 8)
                .size("int", 4)
                .size("socklen_t", 4)
                .size("fd_mask", 8);
        assertThat(headers.falseOn(architecture)).isEmpty();
    }

    @Test
    void epollEventsArePackedOnOneArchitectureOnly() {
        assertThat(EpollPoller.eventSize("amd64")).isEqualTo(12);
        assertThat(EpollPoller.dataOffset("amd64")).isEqualTo(4);
        assertThat(EpollPoller.eventSize("aarch64")).isEqualTo(16);
        assertThat(EpollPoller.dataOffset("aarch64")).isEqualTo(8);
    }

    /** Were it otherwise, nothing above could fail. */
    @ParameterizedTest
    @ValueSource(strings = {"amd64", "aarch64"})
    void aFalseBeliefIsFound(String architecture) throws Exception {
        CHeaders headers = new CHeaders(HEADERS).value("AF_INET", 2).value("AF_INET6", 11);
        assertThat(headers.falseOn(architecture)).singleElement().asString().contains("AF_INET6 is not 11");
        assertThat(new CHeaders(HEADERS).value("NO_SUCH_CONSTANT", 1).falseOn(architecture)).isNotEmpty();
    }

    private static Stream<Field> constants(Class<?> type) {
        return Arrays.stream(type.getDeclaredFields())
                .filter(field -> field.getType() == int.class)
                .filter(field -> Modifier.isStatic(field.getModifiers()) && !Modifier.isPrivate(field.getModifiers()))
                .filter(field -> !NO_C_NAME.contains(field.getName()));
    }
}
