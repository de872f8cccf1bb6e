"""What Python's documentation, or CPython's select itself, answers to odd arguments. Passes with both."""

import errno
import os
import select
import signal
import socket
import sys
import threading
import time
import unittest


class Holder:
    """An object with a fileno method that returns or raises what it is given."""

    def __init__(self, result):
        self.result = result

    def fileno(self):
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


class OddArguments(unittest.TestCase):
    def setUp(self):
        self.a, self.b = socket.socketpair()
        self.addCleanup(self.a.close)
        self.addCleanup(self.b.close)

    def raises(self, kind, pattern, *arguments):
        with self.assertRaisesRegex(kind, pattern) as raised:
            select.select(*arguments)
        self.assertIs(type(raised.exception), kind)

    def test_number_of_arguments(self):
        for arguments in ((), ([],), ([], []), ([], [], [], 0, 0)):
            self.raises(TypeError, r"select expected at (least 3|most 4) arguments, got \d", *arguments)
        with self.assertRaises(TypeError):
            select.select(rlist=[], wlist=[], xlist=[])

    def test_lists_that_are_none(self):
        for position in range(3):
            for wrong in (None, 1, 1.5, object()):
                lists = [[], [], []]
                lists[position] = wrong
                self.raises(TypeError, "arguments 1-3 must be sequences", *lists, 0)

    def test_every_kind_of_iterable(self):
        for make in (list, tuple, set, frozenset, iter, dict.fromkeys, lambda x: (y for y in x)):
            self.assertEqual(select.select(make([self.b]), make([self.a]), make([self.a]), 0), ([], [self.a], []))

    def test_iterable_that_raises(self):
        def broken():
            yield self.a
            raise LookupError("broken")

        self.raises(LookupError, "broken", [], broken(), [], 0)

    def test_members_that_have_no_descriptor(self):
        for position in range(3):
            for wrong, kind, pattern in (
                (None, TypeError, "argument must be an int, or have a fileno"),
                ("1", TypeError, "argument must be an int, or have a fileno"),
                (1.0, TypeError, "argument must be an int, or have a fileno"),
                (Holder("1"), TypeError, "fileno.. returned a non-integer"),
                (Holder(None), TypeError, "fileno.. returned a non-integer"),
                (Holder(-1), ValueError, "file descriptor cannot be a negative integer .-1."),
                (-1, ValueError, "file descriptor cannot be a negative integer .-1."),
                (Holder(LookupError("mine")), LookupError, "mine"),
                (2**40, OverflowError, ""),
                (2**80, OverflowError, ""),
            ):
                lists = [[], [], []]
                lists[position] = [self.a, wrong]
                self.raises(kind, pattern, *lists, 0)

    def test_first_error_wins(self):
        self.raises(ValueError, "non-negative", None, None, None, -1)
        self.raises(TypeError, "arguments 1-3", None, [None], [], 0)
        self.raises(TypeError, "argument must be an int", [None], None, [], 0)

    def test_booleans_and_subclasses_of_int(self):
        class Number(int):
            pass

        number = Number(self.a.fileno())
        r, w, x = select.select([], [number], [], 0)
        self.assertIs(w[0], number)
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, write)
        self.assertEqual(select.select([], [write, write], [], 0), ([], [write, write], []))

    def test_objects_are_the_callers_in_their_order(self):
        first, second, third = Holder(self.b.fileno()), Holder(self.a.fileno()), Holder(self.b.fileno())
        r, w, x = select.select([], (third, second, first, second), [], 0)
        self.assertEqual([id(member) for member in w], [id(third), id(second), id(first), id(second)])
        self.a.send(b"x")
        r, w, x = select.select([self.a, self.b, self.b.fileno(), self.b], [self.b], [self.b], 10)
        self.assertEqual((r, w, x), ([self.b, self.b.fileno(), self.b], [self.b], []))
        for result in (r, w, x):
            self.assertIs(type(result), list)

    def test_result_is_three_new_lists(self):
        given = []
        result = select.select(given, given, given, 0)
        self.assertIs(type(result), tuple)
        self.assertEqual(result, ([], [], []))
        self.assertEqual(len({id(given), *map(id, result)}), 4)

    def test_list_that_grows_and_shrinks_in_fileno(self):
        members = []
        fd = self.a.fileno()

        class Growing:
            def fileno(self):
                if len(members) < 7:
                    members.append(Growing())
                return fd

        members.append(Growing())
        self.assertEqual(len(select.select([], members, [], 0)[1]), 7)

        class Shrinking:
            def fileno(self):
                members.pop()
                return fd

        members[:] = [Shrinking() for _ in range(9)]
        self.assertEqual(len(select.select([], members, [], 0)[1]), 5)

    def test_members_are_held_during_the_call(self):
        members = []
        fd = self.a.fileno()

        class Vanishing:
            def fileno(self):
                members.clear()
                return fd

        members.append(Vanishing())
        ready = select.select([], members, [], 0)[1]
        self.assertEqual([type(member) for member in ready], [Vanishing])

    def test_odd_timeouts(self):
        for wrong, kind, pattern in (
            (float("nan"), ValueError, r"Invalid value NaN \(not a number\)"),
            (float("inf"), OverflowError, "timestamp too large to convert to C"),
            (float("-inf"), OverflowError, "timestamp too large to convert to C"),
            (1e300, OverflowError, "timestamp too large to convert to C"),
            (2**63, OverflowError, "timestamp too large to convert to C"),
            (2**200, OverflowError, "timestamp too large to convert to C"),
            (9223372037, OverflowError, "timestamp too large to convert to C"),
            (-1, ValueError, "timeout must be non-negative"),
            (-0.5, ValueError, "timeout must be non-negative"),
            (-1e-10, ValueError, "timeout must be non-negative"),
            ("1", TypeError, "timeout must be a float or None"),
            ([], TypeError, "timeout must be a float or None"),
            (1j, TypeError, "timeout must be a float or None"),
        ):
            with self.subTest(timeout=wrong):
                self.raises(kind, pattern, [], [self.a], [], wrong)

    def test_timeouts_that_are_fine(self):
        class Index:
            def __index__(self):
                return 0

        for timeout in (0, 0.0, -0.0, False, True, 1e-300, 1e-9, 1e9, 9223372036, 9.2e9, None, Index()):
            with self.subTest(timeout=timeout):
                self.assertEqual(select.select([], [self.a], [], timeout), ([], [self.a], []))

    def test_timeout_is_never_shortened(self):
        for timeout in (1e-9, 0.0005, 0.01, 0.2):
            start = time.monotonic()
            self.assertEqual(select.select([self.a], [], [], timeout), ([], [], []))
            self.assertGreaterEqual(time.monotonic() - start, timeout)
        start = time.monotonic()
        self.assertEqual(select.select([], [], [], 0.05), ([], [], []))
        self.assertGreaterEqual(time.monotonic() - start, 0.05)

    def test_closed_descriptor_in_each_list(self):
        closed = os.dup(self.a.fileno())
        os.close(closed)
        # Not a number beyond every one that was ever open: select(2) calls that ready, which Trivet does not repeat.
        for position in range(3):
            for wrong in (closed, Holder(closed)):
                lists = [[self.a], [self.a], [self.a]]
                lists[position] = [self.a, wrong]
                with self.assertRaises(OSError) as raised:
                    select.select(*lists, 0)
                self.assertEqual(raised.exception.errno, errno.EBADF)
        self.a.close()
        self.raises(ValueError, "negative integer", [self.a], [], [], 0)

    def test_urgent_data_is_exceptional(self):
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
            server, _ = listener.accept()
            with server:
                client.send(b"!", socket.MSG_OOB)
                self.assertEqual(select.select([], [], [server], 10), ([], [], [server]))
                self.assertEqual(select.select([server], [], [server], 0), ([], [], [server]))
                self.assertEqual(server.recv(1, socket.MSG_OOB), b"!")
                self.assertEqual(select.select([server], [], [server], 0), ([], [], []))


class Waiting(unittest.TestCase):
    def setUp(self):
        self.a, self.b = socket.socketpair()
        self.addCleanup(self.a.close)
        self.addCleanup(self.b.close)
        self.seen = 0

    def handle(self, kind, action, restarts=False):
        before = signal.signal(kind, action)
        signal.siginterrupt(kind, not restarts)
        self.addCleanup(signal.signal, kind, before)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)

    def count(self, number, frame):
        self.seen += 1

    def test_handler_that_returns_does_not_end_the_wait(self):
        for restarts in (False, True):
            with self.subTest(restarts=restarts):
                self.seen = 0
                self.handle(signal.SIGALRM, self.count, restarts)
                signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
                start = time.monotonic()
                self.assertEqual(select.select([self.a], [], [], 0.5), ([], [], []))
                self.assertGreaterEqual(time.monotonic() - start, 0.5)
                signal.setitimer(signal.ITIMER_REAL, 0)
                self.assertGreaterEqual(self.seen, 5)

    def test_handler_that_raises_ends_the_wait(self):
        def handler(number, frame):
            raise LookupError("from the handler")

        self.handle(signal.SIGALRM, handler)
        for timeout in (None, 60):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with self.assertRaisesRegex(LookupError, "from the handler"):
                select.select([self.a], [], [], timeout)

    def test_handler_that_makes_it_ready(self):
        self.handle(signal.SIGALRM, lambda number, frame: self.b.send(b"x"))
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        self.assertEqual(select.select([self.a], [], [], 60), ([self.a], [], []))

    def test_handler_that_selects(self):
        nested = []
        self.handle(signal.SIGALRM, lambda number, frame: nested.append(select.select([], [self.b], [], 0)))
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.05)
        self.assertEqual(select.select([self.a], [], [], 0.3), ([], [], []))
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.assertEqual(nested, [([], [self.b], [])] * len(nested))
        self.assertGreaterEqual(len(nested), 2)

    def test_handler_that_closes_what_is_waited_for(self):
        descriptor = os.dup(self.a.fileno())
        self.handle(signal.SIGALRM, lambda number, frame: os.close(descriptor))
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with self.assertRaises(OSError) as raised:
            select.select([descriptor], [], [], 60)
        self.assertEqual(raised.exception.errno, errno.EBADF)

    def test_interrupt_from_the_keyboard(self):
        self.handle(signal.SIGINT, signal.default_int_handler)
        timer = threading.Timer(0.05, signal.pthread_kill, (threading.get_ident(), signal.SIGINT))
        timer.start()
        self.addCleanup(timer.join)
        with self.assertRaises(KeyboardInterrupt):
            select.select([self.a], [], [])

    def test_storm_of_signals(self):
        self.handle(signal.SIGALRM, self.count)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        for _ in range(100):
            self.assertEqual(select.select([self.a], [self.b], [self.a], 0.002), ([], [self.b], []))
            self.assertEqual(select.select([self.a], [], [self.a], 0.002), ([], [], []))
        signal.setitimer(signal.ITIMER_REAL, 0)

    def test_many_threads_wait_at_the_same_time(self):
        results = []
        pairs = [socket.socketpair() for _ in range(50)]
        threads = [threading.Thread(target=lambda pair=pair: results.append(select.select([pair[0]], [], [], 60))) for pair in pairs]
        for thread in threads:
            thread.start()
        for _, peer in pairs:
            peer.send(b"x")
        for thread in threads:
            thread.join()
        self.assertCountEqual(results, [([pair[0]], [], []) for pair in pairs])
        for pair in pairs:
            for end in pair:
                end.close()

    def test_forked_child_selects(self):
        child = os.fork()
        if child == 0:
            os._exit(0 if select.select([self.a], [self.b], [], 0) == ([], [self.b], []) else 1)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)

    def test_standard_library_waits_here(self):
        import selectors

        self.assertIs(selectors.DefaultSelector, selectors.SelectSelector)
        self.assertIs(selectors.SelectSelector._select, select.select)
        self.assertEqual(sys.version_info[0], 3)


if __name__ == "__main__":
    unittest.main()
