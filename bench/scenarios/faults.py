"""Injects errors into every system call of the server, one kind at a time: it continues, or exits with a message; it never hangs or leaks."""
import os, socket, struct, subprocess, time

from common import ROOT, Failed, attach, detach

ERRORS = ["ECONNRESET", "EPIPE", "ENOBUFS", "ENOMEM", "EINTR", "EAGAIN"]
LINUX = ["recvfrom", "sendto", "sendmsg", "accept4", "setsockopt", "shutdown", "close", "read", "write"]
# All system calls that strace -c shows of a server under load, except for memory, threads and files.
CALLS = {
    "epoll": [*LINUX, "epoll_ctl", "epoll_pwait2"],
    "poll": [*LINUX, "ppoll"],
    "select": [*LINUX, "pselect6", "fcntl"],
    # strace cannot inject errors into operations of the ring, only into the calls around it.
    "uring": ["io_uring_enter", *LINUX],
    "nio": ["read", "write", "writev", "accept", "setsockopt", "getsockopt", "getsockname", "fcntl", "shutdown", "close", "epoll_ctl", "epoll_wait"],
}
GATHERING = {"sendmsg", "writev"}
WAITS = {"epoll_pwait2", "ppoll", "pselect6", "epoll_wait", "io_uring_enter"}
# A loop that cannot wait cannot continue: the server logs it and exits. A ring may ask to be entered again when memory is short or its queue is full.
AGAIN = {"io_uring_enter": ["EINTR", "EAGAIN", "EBUSY"]}
FATAL = {(call, error) for call in WAITS for error in ERRORS if error not in AGAIN.get(call, ["EINTR"])}
# Why a ring may be refused (a setting or a container, an old kernel, lack of memory or descriptors), and what the message must name.
REFUSALS = {"EPERM": "forbidden", "ENOSYS": "no io_uring", "ENOMEM": "ulimit -l", "EMFILE": "ulimit -n", "EINVAL": "Linux 6.0"}
# java.nio reads its wakeup events as part of the wait. It ignores failures of epoll_ctl: such a connection gets no events, and its idle timeout
# closes it.
FATAL_NIO = {("read", error) for error in ERRORS}
# java.nio wakes a loop by writing to an eventfd, and ignores these two errors of it: the loop goes on waiting, and no further wake-up reaches
# it. Only injection shows this, because the kernel never returns them there. The server cannot notice it.
LOST_WAKE_UPS_NIO = {("write", "EINTR"), ("write", "EAGAIN")}
OPTIONS = {"nio": ["--idle-timeout", "3s"]}


def run(bench):
    for engine, calls in CALLS.items():
        table = {}
        for call in calls:
            errors = AGAIN[call][1:] if call in AGAIN else []
            errors = (ERRORS[:2] if bench.quick else ERRORS) + [error for error in errors if bench.quick or error not in ERRORS]
            for error in errors:
                table[call, error] = Case(bench, engine, call, error).run()
        bench.end()
        Case.servers.clear()
        width = max(len(word) for word in table.values()) + 1
        columns = list(dict.fromkeys(error for _, error in table))
        print("       " + f"{engine}".ljust(14) + "".join(error.ljust(width) for error in columns))
        for call in calls:
            print("       " + call.ljust(14) + "".join(table.get((call, error), "").ljust(width) for error in columns), flush=True)
        bad = {case: word for case, word in table.items() if word.isupper()}
        words = list(table.values())
        count = ", ".join(f"{words.count(word)} {word}" for word in ["continues", "reported, exit 1", "wake-up lost", "not called"] if word in words)
        bench.figure(f"{engine}: {len(words)} cases, {count}", bad or "no hang, no crash, no leak",
                     "no hang, no crash, no leak", not bad)
    refuse_rings(bench)


def refuse_rings(bench):
    """If io_uring is refused, --engine uring prints the reason and the cure in one line."""
    for error, cure in REFUSALS.items():
        command = ["strace", "-f", "-o", os.devnull, "-e", "trace=io_uring_setup", "-e", f"inject=io_uring_setup:error={error}",
                   os.path.join(ROOT, "trivet"), "serve", "-p", "0", "-e", "uring"]
        try:
            got = subprocess.run(command, capture_output=True, text=True, timeout=60)
            said = [line for line in got.stderr.splitlines() if "uring is not available" in line and cure in line]
            bench.figure(f"uring, io_uring_setup fails with {error}", f"exit {got.returncode}, {said or got.stderr[-300:]}",
                         "exit 1, and one line with the cure", got.returncode == 1 and len(said) == 1)
        except subprocess.TimeoutExpired:
            bench.figure(f"uring, io_uring_setup fails with {error}", "the server runs, or hangs", "exit 1", False)


def gulp(port, clients, seconds):
    """Clients that send a lot and do not read, until the server has queued many buffers for them; then they read."""
    start = time.monotonic()
    sockets = []
    for _ in range(clients):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.setblocking(False)
        sockets.append(client)
    line = b"x" * 1999 + b"\n"
    while time.monotonic() < start + seconds and sockets:
        reads = time.monotonic() > start + seconds / 2
        for client in list(sockets):
            try:
                for _ in range(50):
                    if not reads:
                        client.send(line * 16)
                    elif not client.recv(1 << 16):
                        sockets.remove(client)
                        break
            except BlockingIOError:
                pass
            except OSError:
                sockets.remove(client)
        time.sleep(0.001)
    for client in sockets:
        client.close()


def reset(port):
    """A client that resets its connection while its line is unfinished."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(b"unfinished")


class Case:
    """One system call and one error: the third to the tenth call of each thread fails, under a small load; then the server is examined. It
    has two loops, because a single loop never has to wake another one."""

    servers = {}

    def __init__(self, bench, engine, call, error):
        self.bench, self.engine, self.call, self.error = bench, engine, call, error

    def run(self):
        server = Case.servers.get(self.engine)
        if server is None or not server.is_alive():
            server = Case.servers[self.engine] = self.bench.server("-e", self.engine, "--loops", "2", "--write-timeout", "2s", "--overflow", "drop-oldest",
                                                                    *OPTIONS.get(self.engine, []))
            warm = self.bench.talk(server, 20, size=2000)  # loads classes that are loaded at first use
            warm.ask("talk 20 10")
            warm.close()
            gulp(server.port, 4, 1.5)  # those of queues, too: a failed read of the jar is not what is tested
            reset(server.port)
        before = server.await_descriptors(0, 0.3)
        trace = server.log_path + ".strace"
        if os.path.exists(trace):
            os.remove(trace)
        tracer = attach(server, trace, "-e", f"trace={self.call}", "-e", f"inject={self.call}:error={self.error}:when=3..10")
        load = self.bench.talk(server, 20, size=2000, window=2)
        try:
            if self.call in GATHERING:
                gulp(server.port, 10, 1.5)
            load.ready(20)
            load.ask("talk 20 1.5")
            load.kill()
            if self.call in ("shutdown", "close", "getsockopt"):
                server.await_descriptors(before, 1)
        except Failed:
            load.kill()
        finally:
            detach(tracer)
        injected = open(trace).read().count("INJECTED")
        if self.is_fatal():
            try:
                server.process.wait(3)
            except subprocess.TimeoutExpired:
                pass  # the error had no effect
        word = self.outcome(server, before, injected)
        if word.isupper():
            print(f"       {self.engine} {self.call} {self.error}: {word}\n{server.log()[-1500:]}", flush=True)
            if server.is_alive():
                server.process.kill()
                server.process.wait()
        return word

    def is_fatal(self):
        return (self.call, self.error) in (FATAL | FATAL_NIO if self.engine == "nio" else FATAL)

    def ended(self, server):
        code = server.process.wait()
        reported = any(self.error in line for line in server.log().splitlines()[-20:])
        if self.is_fatal() and code not in (0, -9) and reported:
            return f"reported, exit {code}"
        return f"ENDED {code}" + ("" if reported else " SILENTLY")

    def outcome(self, server, before, injected):
        if not server.is_alive():
            return self.ended(server)
        if injected == 0:
            return "not called"
        after = self.bench.talk(server, 20, size=2000, seed=2)
        try:
            served = after.ready(20).ask("talk 20 10")["done"]
        except Failed:
            served = 0
        after.kill()
        if not server.is_alive():  # a loop that had other work met the error only now
            return self.ended(server)
        if served != 20:
            if self.engine == "nio" and (self.call, self.error) in LOST_WAKE_UPS_NIO:
                server.process.kill()
                server.process.wait()
                return "wake-up lost"
            return f"HANGS: {served} OF 20"
        left = server.await_descriptors(before, 10) - before  # nio: the idle timeout, and then that of the linger
        # The kernel never executes an injected close, and the server must not close the descriptor again.
        if left > (injected if self.call == "close" else 0):
            return f"LEAKS {left}"
        busy = loop_nanos(server)
        time.sleep(0.4)
        busy = loop_nanos(server) - busy
        return f"SPINS: {busy / 4e6:.0f} %" if busy > 2e8 else "continues"


def loop_nanos(server):
    """Returns the processor time of the server's loops, which should be idle."""
    return sum(nanos for (name, _), nanos in server.processor_nanos().items() if name.startswith("trivet-loop"))
