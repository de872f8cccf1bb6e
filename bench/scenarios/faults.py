"""Every call the server makes is made to fail, one kind at a time: it goes on, or ends loudly; nothing hangs and nothing leaks."""
import os, subprocess

from common import Failed, attach, detach

ERRORS = ["ECONNRESET", "EPIPE", "ENOBUFS", "ENOMEM", "EINTR", "EAGAIN"]
CALLS = ["recvfrom", "sendto", "sendmsg", "accept4", "epoll_ctl", "epoll_pwait2", "setsockopt", "shutdown", "close"]
WAITS = {"epoll_pwait2", "ppoll", "pselect6", "epoll_wait"}
# A loop that cannot wait cannot go on: it ends, and says so.
FATAL = {(call, error) for call in WAITS for error in ERRORS if error != "EINTR"}


def run(bench):
    engines = [("epoll", CALLS), ("poll", ["ppoll"]), ("select", ["pselect6"]), ("nio", ["read", "write", "accept", "epoll_wait"])]
    if bench.quick:
        engines = engines[:1]
    for engine, calls in engines:
        table = {}
        for call in calls:
            for error in ERRORS:
                table[call, error] = Case(bench, engine, call, error).run()
        bench.end()
        width = max(len(word) for word in table.values()) + 1
        print("       " + f"{engine}".ljust(14) + "".join(error.ljust(width) for error in ERRORS))
        for call in calls:
            print("       " + call.ljust(14) + "".join(table[call, error].ljust(width) for error in ERRORS), flush=True)
        bad = {case: word for case, word in table.items() if word.isupper()}
        bench.figure(f"{engine}: {len(table)} cases", bad or "no hang, no crash, no leak", "no hang, no crash, no leak", not bad)


class Case:
    """One call and one error: the third to the tenth call of each thread fails, under a small load, and then the server is looked at."""

    servers = {}

    def __init__(self, bench, engine, call, error):
        self.bench, self.engine, self.call, self.error = bench, engine, call, error

    def run(self):
        server = Case.servers.get(self.engine)
        if server is None or not server.is_alive():
            server = Case.servers[self.engine] = self.bench.server("-e", self.engine, "--write-timeout", "2s", "--overflow", "drop-oldest")
            warm = self.bench.talk(server, 20, size=2000)  # what is loaded at first use is loaded
            warm.ask("talk 20 10")
            warm.close()
        before = server.await_descriptors(0, 0.3)
        trace = server.log_path + ".strace"
        if os.path.exists(trace):
            os.remove(trace)
        tracer = attach(server, trace, "-e", f"trace={self.call}", "-e", f"inject={self.call}:error={self.error}:when=3..10")
        load = self.bench.talk(server, 20, size=60000, window=32) if self.call == "sendmsg" else self.bench.talk(server, 20, size=2000, window=2)
        try:
            load.ready(20)
            load.ask("talk 20 1.5")
            load.kill()
            if self.call in ("shutdown", "close"):
                server.await_descriptors(before, 1)
        except Failed:
            load.kill()
        finally:
            detach(tracer)
        injected = open(trace).read().count("INJECTED")
        if self.call in WAITS:
            try:
                server.process.wait(1)
            except subprocess.TimeoutExpired:
                pass  # it has not noticed
        word = self.outcome(server, before, injected)
        if word.isupper():
            print(f"       {self.engine} {self.call} {self.error}: {word}\n{server.log()[-1500:]}", flush=True)
            if server.is_alive():
                server.process.kill()
                server.process.wait()
        return word

    def outcome(self, server, before, injected):
        if not server.is_alive():
            code = server.process.wait()
            loud = any(self.error in line for line in server.log().splitlines()[-20:])
            if (self.call, self.error) in FATAL and code not in (0, -9) and loud:
                return f"says so, exit {code}"
            return f"ENDED {code}" + ("" if loud else " SILENTLY")
        if injected == 0:
            return "not called"
        after = self.bench.talk(server, 20, size=2000, seed=2)
        try:
            served = after.ready(20).ask("talk 20 10")["done"]
        except Failed:
            served = 0
        after.kill()
        if not server.is_alive():
            return f"ENDED {server.process.wait()} LATER"
        if served != 20:
            return f"HANGS: {served} OF 20"
        left = server.await_descriptors(before, 4) - before
        # An injected close is one that the kernel never saw: those descriptors are not the server's to close again.
        if left > (injected if self.call == "close" else 0):
            return f"LEAKS {left}"
        return "serves on"
