"""5,000 silent clients: an idle server must not count as waiting for a disk, on any engine, and its loop must sleep."""
import os, time

CLIENTS = 5_000
ENGINES = ["epoll", "uring"]
GROUPS = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]


def run(bench):
    seconds = 10 if bench.quick else 60
    shares = {}
    for engine in ENGINES:
        server = bench.server("-e", engine)
        with Pressure(server) as pressure:
            clients = bench.talk(server, CLIENTS, size=200)
            done = clients.ask("talk 1 60")["done"]
            bench.expect(done == CLIENTS, f"{done} of {CLIENTS} clients were served")
            time.sleep(2)
            waited, used, start = pressure.seconds(), sum(server.processor_nanos().values()), time.monotonic()
            time.sleep(seconds)
            took = time.monotonic() - start
            shares[engine] = (pressure.seconds() - waited) / took
            used = (sum(server.processor_nanos().values()) - used) / took / 1e7
            bench.figure(f"{engine}: {CLIENTS} clients, silent for {seconds} s",
                         f"waits for I/O {shares[engine]:.1%} of the time by {pressure.source}, uses {used:.3f} % of a core", "as epoll; below 1 %",
                         shares[engine] <= shares[ENGINES[0]] + 0.05 and used < 1)
        bench.end()


class Pressure:
    """How long some task of a server waits for I/O: of its own control group where one can be made, otherwise of the machine (PSI)."""

    def __init__(self, server):
        self.group = None
        for root in GROUPS:
            if not os.path.exists(os.path.join(root, "cgroup.controllers")):  # not a file system of control groups, version 2
                continue
            group = os.path.join(root, f"trivet-idle-{server.pid}")
            try:
                os.mkdir(group)
                with open(os.path.join(group, "cgroup.procs"), "w") as file:
                    file.write(str(server.pid))
                self.group, self.source = group, "io.pressure of its control group"
                break
            except OSError:
                continue
        if self.group is None:
            self.source = "/proc/pressure/io"

    def seconds(self):
        path = os.path.join(self.group, "io.pressure") if self.group else "/proc/pressure/io"
        some = next(line for line in open(path) if line.startswith("some"))
        return int(some.rpartition("total=")[2]) / 1e6

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.group:
            root = os.path.dirname(self.group)
            try:
                for pid in open(os.path.join(self.group, "cgroup.procs")).read().split():
                    with open(os.path.join(root, "cgroup.procs"), "w") as file:
                        file.write(pid)
                os.rmdir(self.group)
            except OSError:
                pass  # the server has ended meanwhile; an empty group costs nothing
