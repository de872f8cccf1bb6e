"""The shapes of load, and the short and the full matrix of them."""
from dataclasses import dataclass

MESSAGE_MAX = 1 << 20  # size x depth: bytes in flight per connection
TOTAL_MAX = 1 << 30    # over all connections
COMMON_RATE = 0.7      # fraction of the throughput of the reference, the C epoll loop by default

MAIN = ["c-epoll", "c-uring", "libuv", "trivet-uring", "trivet-epoll", "trivet-nio", "netty-uring", "netty-epoll", "netty-nio", "vertx", "nio",
        "virtual-threads"]
EVERY = MAIN + ["trivet-poll", "trivet-select"]


@dataclass(frozen=True)
class Shape:
    """One table of the results. A peer may be followed by a service other than the kind's: `netty-epoll:strings`."""
    kind: str  # echo, lines, broadcast, connect, idle, start
    connections: int = 1
    size: int = 64
    depth: int = 1
    peers: tuple = ()
    rated: bool = False  # also measured at the common rate

    @property
    def name(self):
        return {"echo": f"echo:{self.connections},{self.size},{self.depth}", "lines": f"lines:{self.connections},{self.size},{self.depth}",
                "broadcast": f"broadcast:{self.connections},{self.size}", "connect": f"connect:{self.connections}", "idle": "idle",
                "start": "start"}[self.kind]

    @property
    def title(self):
        pieces = f"{bytes_text(self.size)}, {self.connections:,} connection{'s' * (self.connections > 1)}"
        return {"echo": f"Echo of {pieces}, depth {self.depth}",
                "lines": f"Lines of {pieces}, depth {self.depth}, each answered with a composed reply",
                "broadcast": f"Broadcast of {bytes_text(self.size)} to {self.connections:,}",
                "connect": f"Connect, echo of {bytes_text(self.size)}, close; {self.connections:,} at a time",
                "idle": "Memory per idle connection: the slope from 5,000 to 15,000 connections",
                "start": "Time from the start of the process to its first answer"}[self.kind]


def bytes_text(size):
    return f"{size >> 10} KiB" if size >= 1024 else f"{size} B"


def echo(connections, size, depth, peers=MAIN, rated=False):
    return Shape("echo", connections, size, depth, tuple(peers), rated)


def lines(depth):
    engines = ["trivet-uring", "trivet-epoll", "netty-uring", "netty-epoll"]
    return Shape("lines", 50, 32, depth, ("c-epoll", *(f"{e}:{s}" for e in engines for s in ("lines", "strings")), "vertx"))


BROADCAST = Shape("broadcast", 1000, 64, peers=tuple(p for p in MAIN if p not in ("c-uring", "libuv")))
CONNECT = Shape("connect", 50, peers=tuple(MAIN))
IDLE = Shape("idle", peers=tuple(MAIN))  # poll and select use as much memory per connection as epoll, and take minutes to accept 15,000
START = Shape("start", peers=(*MAIN, *(peer + "+aot" for peer in MAIN if peer.startswith(("trivet-", "netty-", "nio")))))

SHORT = [echo(50, 64, 1, EVERY, rated=True), echo(1, 64, 1), echo(1000, 64, 1, rated=True), echo(50, 64, 16), echo(50, 16 << 10, 1),
         echo(50, 256 << 10, 1), lines(1), lines(64), START, IDLE, CONNECT, BROADCAST, echo(50, 1 << 10, 1), echo(15_000, 64, 1)]

FULL = [echo(connections, size, depth, EVERY if connections == 50 else MAIN, rated=depth == 1)
        for size in (64, 1 << 10, 16 << 10, 256 << 10) for connections in (1, 50, 1000, 15_000) for depth in (1, 16, 64)
        if size * depth <= MESSAGE_MAX and size * depth * connections <= TOTAL_MAX] + [lines(1), lines(16), lines(64), START, IDLE, CONNECT, BROADCAST]


def named(name):
    """Returns the shape of a name such as echo:50,64,1, with any numbers."""
    kind, _, numbers = name.partition(":")
    for known in SHORT + FULL:
        if known.name == name or known.name == kind and not numbers:
            return known
    try:
        values = [int(n) for n in numbers.split(",")]
        base = {"echo": echo(*values) if kind == "echo" else None, "lines": lines(1), "broadcast": BROADCAST, "connect": CONNECT}[kind]
    except (KeyError, ValueError, TypeError):
        raise ValueError(f"unknown shape {name}: expected echo:CONNECTIONS,BYTES,DEPTH, lines:CONNECTIONS,BYTES,DEPTH, broadcast:CONNECTIONS,BYTES, "
                         "connect:CONNECTIONS, idle, start")
    fields = dict(zip(("connections", "size", "depth"), values))
    return Shape(kind, **{"connections": base.connections, "size": base.size, "depth": 1, **fields}, peers=base.peers, rated=False)
