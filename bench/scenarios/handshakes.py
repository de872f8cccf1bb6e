"""5,000 TLS clients connect at once, and 1,000 of them stall: the others are served, those are closed, and 1,000 connected ones are not affected."""
import os, time

CLIENTS = 5000
STALL = 1000
CONNECTED = 1000
PAUSE_MS = 40  # of a connected client between two lines: together they send some 25,000 a second, a third of what the server can do
TIMEOUT_SECONDS = 10  # of a handshake
EARLY_SECONDS, LATE_SECONDS = 0.05, 2  # the server counts from the beginning of the turn in which it accepts
SETTLE_SECONDS = 3
ENGINES = ["openssl", "jdk"]
BUDGET_MIB = 64
# The server has a processor of its own. On a real network, the clients of a storm would not take the processor from anybody.
FIRST, *_, LAST = [*sorted(os.sched_getaffinity(0)), *sorted(os.sched_getaffinity(0))]
SERVER = ["taskset", "-c", str(FIRST)]
CLIENTS_PROCESSOR = ["taskset", "-c", str(LAST)]
BEHIND_ALL = ["chrt", "--idle", "0"]  # runs only when the connected clients do not, whose time is measured


def run(bench):
    authority = bench.certificate("authority")
    certificate, key = bench.certificate("localhost", authority)
    for engine in ENGINES:
        storms(bench, engine, authority[0], certificate, key)
        bench.end()


def storms(bench, engine, authority, certificate, key):
    server = bench.server("--tls-cert", certificate, "--tls-key", key, "--tls-engine", engine, "--backlog", str(CLIENTS), "--queue-budget",
                          f"{BUDGET_MIB}MiB", prefix=SERVER, java="-XX:+UseSerialGC -Xmx512m -XX:NativeMemoryTracking=summary")
    connected = bench.tls_client("talk", server, CONNECTED, prefix=CLIENTS_PROCESSOR, pause=PAUSE_MS, ca=authority).ready()
    bench.expect(connected.connected["opened"] == CONNECTED, f"the {CONNECTED} clients cannot connect: {server.log()[-500:]}")
    connected.ask("run 5")
    before, descriptors, resident = server.buffers_mib(), server.descriptors(), server.resident_mib()
    storms = []
    for i in range(2 if bench.quick else 4):
        storms.append(Storm(bench, server, connected, authority))
        clients = storms[-1].went["completed"]
        stalled = storms[-1].waited
        bench.figure(f"{engine}, storm {i + 1}: clients that do not stall", f"{clients} served, within {storms[-1].went['seconds']:.1f} s",
                     f"{CLIENTS - STALL}", clients == CLIENTS - STALL)
        bench.figure(f"{engine}, storm {i + 1}: those that stall: closed by the handshake timeout of {TIMEOUT_SECONDS} s",
                     f"{stalled['stalled']}, at least {stalled['end_least']:.2f} s after their connect began, at most {stalled['end_most']:.2f} s after the "
                     "answer they saw last", f"{STALL}, within {TIMEOUT_SECONDS} to {TIMEOUT_SECONDS + LATE_SECONDS} s",
                     stalled["stalled"] == STALL and stalled["end_least"] >= TIMEOUT_SECONDS - EARLY_SECONDS
                     and stalled["end_most"] <= TIMEOUT_SECONDS + LATE_SECONDS)
    first, *later = storms
    bench.figure(f"{engine}: p99 of {CONNECTED} connected clients, first storm", first.p99_text(), "none: it compiles code on the server's processor")
    ratios = [storm.ratio() for storm in later]
    middle = sorted(later, key=Storm.ratio)[len(later) // 2]
    bench.figure(f"{engine}: the same, median of the other storms",
                 f"{middle.p99_text()} (ratios {min(ratios):.2f} to {max(ratios):.2f})", "ratio at most 1.5")
    bad = sum(t["wrong"] + t["failed"] + t["waiting"] for t in (later[-1].without, later[-1].beside))
    bench.figure(f"{engine}: their errors", bad, "0", bad == 0)
    most = max(storm.buffers_mib for storm in storms)
    bench.figure(f"{engine}: buffers at the end of a storm",
                 f"{most:.0f} MiB, {before:.0f} before; resident {max(storm.resident_mib for storm in storms):.0f}, {resident:.0f} before",
                 f"{before:.0f} + {BUDGET_MIB} MiB", most <= before + BUDGET_MIB)
    left = server.await_descriptors(descriptors, 10)
    bench.figure(f"{engine}: descriptors afterwards", left - descriptors, "0", left <= descriptors)


class Storm:
    """One storm: what the connected clients see before it and beside it, and what becomes of its clients."""

    def __init__(self, bench, server, connected, authority):
        time.sleep(SETTLE_SECONDS)  # the clients of the last storm have just disconnected
        self.without = connected.ask("run 3")
        clients = bench.tls_client("storm", server, CLIENTS, prefix=[*CLIENTS_PROCESSOR, *BEHIND_ALL], stall=STALL, ca=authority).ready()
        connected.say("until 60")
        clients.say("go 60")
        self.went = clients.answer(90)
        connected.say("stop")
        self.beside = connected.answer(30)
        self.buffers_mib, self.resident_mib = server.buffers_mib(), server.resident_mib()
        self.waited = clients.ask("wait 30")
        clients.close()

    def ratio(self):
        return self.beside["p99"] / self.without["p99"]

    def p99_text(self):
        return (f"{self.beside['p99'] / 1e3:.1f} ms during the storm, {self.without['p99'] / 1e3:.1f} ms without; ratio {self.ratio():.2f}; rates "
                f"{self.beside['rate']:.0f} and {self.without['rate']:.0f} per second")
