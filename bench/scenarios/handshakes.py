"""5,000 TLS clients connect at once, and 1,000 of them stall: the others are served, those are closed, and 1,000 connected ones are not affected."""
from common import median

CLIENTS = 5000
STALL = 1000
CONNECTED = 1000
TIMEOUT_SECONDS = 10  # of a handshake
EARLY_SECONDS, LATE_SECONDS = 0.05, 2  # the client sees its connect a little later than the server
ENGINES = ["openssl", "jdk"]
BUDGET_MIB = 64


def run(bench):
    authority = bench.certificate("authority")
    certificate, key = bench.certificate("localhost", authority)
    for engine in ENGINES:
        storm(bench, engine, authority[0], certificate, key)
        bench.end()


def storm(bench, engine, authority, certificate, key):
    rounds = 1 if bench.quick else 3
    server = bench.server("--tls-cert", certificate, "--tls-key", key, "--tls-engine", engine, "--backlog", str(CLIENTS), "--queue-budget",
                          f"{BUDGET_MIB}MiB", java="-XX:+UseSerialGC -Xmx512m -XX:NativeMemoryTracking=summary")
    connected = bench.tls_client("talk", server, CONNECTED, ca=authority).ready()
    bench.expect(connected.connected["opened"] == CONNECTED, f"the {CONNECTED} clients cannot connect: {server.log()[-500:]}")
    connected.ask("run 5")
    before, descriptors, resident = server.buffers_mib(), server.descriptors(), server.resident_mib()
    without, beside, most, most_resident = [], [], 0, 0
    completed = closed = 0
    least, longest, seconds = 1e9, 0, []
    for _ in range(rounds):
        without.append(connected.ask("run 3"))
        clients = bench.tls_client("storm", server, CLIENTS, stall=STALL, ca=authority).ready()
        connected.say("until 60")
        clients.say("go 60")
        went = clients.answer(90)
        connected.say("stop")
        beside.append(connected.answer(30))
        most, most_resident = max(most, server.buffers_mib()), max(most_resident, server.resident_mib())
        waited = clients.ask("wait 30")
        completed += went["completed"]
        seconds.append(went["seconds"])
        closed += waited["stalled"]
        least, longest = min(least, waited["end_least"]), max(longest, waited["end_most"])
        clients.close()
    others = rounds * (CLIENTS - STALL)
    bench.figure(f"{engine}: clients of the storm that do not stall", f"{completed} served, within {max(seconds):.1f} s", f"{others}", completed == others)
    bench.figure(f"{engine}: those that stall: closed by the handshake timeout of {TIMEOUT_SECONDS} s",
                 f"{closed}, {least:.2f} to {longest:.2f} s after the client saw its connect", f"{rounds * STALL}, within 10 to 12 s",
                 closed == rounds * STALL and least >= TIMEOUT_SECONDS - EARLY_SECONDS and longest <= TIMEOUT_SECONDS + LATE_SECONDS)
    bad = sum(t["wrong"] + t["failed"] + t["waiting"] for t in (without[-1], beside[-1]))
    ratios = [b["p99"] / a["p99"] for a, b in zip(without, beside)]
    bench.figure(f"{engine}: p99 of {CONNECTED} connected clients",
                 f"{median(t['p99'] for t in beside) / 1e3:.1f} ms during the storm, {median(t['p99'] for t in without) / 1e3:.1f} ms without; ratio "
                 f"{median(ratios):.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f}); rates {median(t['rate'] for t in beside):.0f} and "
                 f"{median(t['rate'] for t in without):.0f} per second", "ratio at most 1.5", None if bench.quick else median(ratios) <= 1.5)
    bench.figure(f"{engine}: their errors", bad, "0", bad == 0)
    bench.figure(f"{engine}: buffers at the end of the storm", f"{most:.0f} MiB, {before:.0f} before; resident {most_resident:.0f}, {resident:.0f} before",
                 f"{before:.0f} + {BUDGET_MIB} MiB", most <= before + BUDGET_MIB)
    left = server.await_descriptors(descriptors, 10)
    bench.figure(f"{engine}: descriptors afterwards", left - descriptors, "0", left <= descriptors)
