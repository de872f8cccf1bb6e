"""Small JVMs, and clients that make the server hold much memory. The server stays alive and within its budget, and closes the clients
that hold the most."""
import resource, select, socket, time

JVMS = ["-Xmx16m", "-Xmx32m", "-Xmx256m", "-Xmx1g -XX:MaxDirectMemorySize=32m"]
UNFINISHED, DEAF, LEFTOVER, MODEST = 10_000, 2_000, 4_000, 50
SECONDS_MAX = 60


def run(bench):
    allow_descriptors(UNFINISHED + 1_000)
    for java in JVMS:
        for load in (unfinished_lines, readers_of_nothing, leftovers):
            hold(bench, java, load)
            bench.end()


def allow_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(hard, count)))


def hold(bench, java, load):
    server = bench.server("-v", "--message-timeout", "5m", "--write-timeout", "5m", "--idle-timeout", "5m",
                          java=f"-XX:+UseSerialGC -XX:NativeMemoryTracking=summary {java}")
    modest = [connect(server, 4096) for _ in range(MODEST)]
    asked_before = sum(asks(s) for s in modest)
    clients = load(server)
    asked_beside = sum(asks(s) for s in modest) if server.is_alive() else 0
    newcomer = server.is_alive() and asks(connect(server, 4096))
    native = server.buffers_mib() if server.is_alive() else 0
    budget_lines = server.log_lines("(--queue-budget)")
    gone = len({line.split()[1] for line in budget_lines if line.startswith("gone ")})
    for s in clients:
        s.close()
    after = server.is_alive() and asks(connect(server, 4096))
    errors = "OutOfMemoryError" in server.log()
    limit = limit_mib(java)
    bench.figure(f"{load.__doc__} {java}",
                 f"{'alive' if server.is_alive() else 'DEAD'}, {gone} of {len(clients)} closed by the budget, {asked_beside} of {MODEST} modest clients and "
                 f"{'a' if newcomer else 'NO'} newcomer served, {native:.1f} MiB native memory",
                 f"alive, modest clients and newcomers served, at most {limit} MiB", after and newcomer and not errors
                 and asked_before == asked_beside == MODEST and native <= limit)


def limit_mib(java):
    return int(java.rsplit("=", 1)[1][:-1]) if "Direct" in java else int(java[4:-1])


def connect(server, buffer):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    s.settimeout(10)
    s.connect(("127.0.0.1", server.port))
    return s


def asks(s):
    try:
        s.settimeout(10)
        s.sendall(b"hello\n")
        return s.recv(100) == b"hello\n"
    except OSError:
        return False


def send_all(server, count, data, buffer, reads):
    """Connects clients that each send the data; without reads, they read nothing of the echo. Returns the clients."""
    clients, left = [], {}
    for _ in range(count):
        try:
            s = connect(server, buffer)
        except OSError:
            break
        s.setblocking(False)
        clients.append(s)
        left[s.fileno()] = [s, len(data)]
    poll = select.poll()
    for fd in left:
        poll.register(fd, select.POLLOUT | (select.POLLIN if reads else 0))
    end = time.monotonic() + SECONDS_MAX
    progress = time.monotonic()
    while left and time.monotonic() < end and time.monotonic() - progress < 3:
        for fd, events in poll.poll(200):
            s, rest = left[fd]
            try:
                if events & select.POLLIN and reads:
                    s.recv(1 << 16)
                sent = s.send(data[len(data) - rest:]) if rest else 0
                left[fd][1] -= sent
                progress = time.monotonic() if sent else progress
                if left[fd][1] == 0:
                    poll.modify(fd, select.POLLIN) if reads else poll.unregister(fd)
                    if not reads:
                        del left[fd]
            except BlockingIOError:
                pass
            except OSError:
                poll.unregister(fd)
                del left[fd]
        if reads and all(rest == 0 for _, rest in left.values()):
            break
    return clients


def unfinished_lines(server):
    """10,000 lines of 40 kB without an end,"""
    return send_all(server, UNFINISHED, b"u" * 40_000, 4096, reads=False)


def readers_of_nothing(server):
    """2,000 clients that read nothing of 1 MiB,"""
    return send_all(server, DEAF, (b"d" * 1023 + b"\n") * 1024, 2304, reads=False)


def leftovers(server):
    """4,000 clients that leave one byte behind a line of 60 kB,"""
    return send_all(server, LEFTOVER, b"l" * 60_000 + b"\nX", 65536, reads=True)
