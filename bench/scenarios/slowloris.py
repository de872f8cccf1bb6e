"""5,000 clients send a line that never ends, one byte per second: each is closed by the message timeout, and 1,000 others are not affected."""
from slow_readers import compare

CLIENTS = 5000


def run(bench):
    server = bench.server("--message-timeout", "10s")
    workers = bench.talk(server, 1000, size=64, fixed=1)
    workers.ask("run 4")
    before = server.descriptors()
    without, beside, ended, least, most = [], [], 0, 1e9, 0
    rounds = 2 if bench.quick else 7
    for _ in range(rounds):
        without.append(workers.ask("run 3"))
        slow = bench.client("drip", server, CLIENTS).ready()
        slow.say("wait 16")
        beside.append(workers.ask("run 3"))
        stats = slow.answer(40)
        ended += CLIENTS - stats["live"]
        least, most = min(least, stats["end_least"]), max(most, stats["end_most"])
        slow.kill()
    bench.figure("closed by the message timeout of 10 s", f"{ended}, from {least:.2f} to {most:.2f} s after the first byte",
                 f"{rounds * CLIENTS}, within 10 to 12 s", ended == rounds * CLIENTS and least >= 9.95 and most <= 12)
    left = server.await_descriptors(before, 10)
    bench.figure("their descriptors afterwards", left - before, "0", left <= before)
    compare(bench, "p99 of 1,000 other clients", without, beside)
