"""100 clients that never read: each is handled by the overflow policy, memory stays below the caps, and 1,000 others are not affected."""
import re

from common import median

SLOW, CAP_MIB = 100, 1
# Of a queue's chunks of 64 KiB, the first may be partly sent and the last partly full. The loop also keeps up to 32 MiB for reuse (such as
# the small chunks that each queue starts with), and has some buffers of its own.
SLACK_MIB, LOOP_MIB = 2 * 0.0625, 32 + 2


def closed_by(server, option):
    """Returns the clients that were closed because of an option."""
    return {line.split()[1] for line in server.log_lines(option) if line.startswith("gone ")}


def run(bench):
    pauses(bench)
    disconnects(bench)
    drops(bench)
    memory(bench)
    latency(bench)


def pauses(bench):
    server = bench.server("-v", "--overflow", "pause", "--write-timeout", "3s")
    slow = bench.client("deaf", server, SLOW, size=16000).ready()
    stats = slow.ask("wait 15")
    ended = len(closed_by(server, "(--write-timeout)"))
    bench.figure("pause: ended by the write timeout of 3 s", f"{ended}, {stats['end_least']:.1f} to {stats['end_most']:.1f} s after their first byte",
                 f"{SLOW}", ended == SLOW and stats["live"] == 0)
    bench.end()


def disconnects(bench):
    server = bench.server("-v", "--reply", "broadcast", "--queue-limit", "256KiB")
    slow = bench.client("deaf", server, SLOW, talks=0).ready()
    talker = bench.talk(server, 1, size=16000, fixed=1)
    stats = talker.ask("talk 600 60")
    ended = len(closed_by(server, "(--queue-limit)"))
    bench.figure("disconnect: ended by a full queue", f"{ended} while another client completed {stats['done']} conversation of 600 broadcasts",
                 f"{SLOW}, 1", ended == SLOW and stats["done"] == 1)
    bench.end()


def drops(bench):
    server = bench.server("-v", "--reply", "broadcast", "--overflow", "drop-oldest", "--queue-limit", "256KiB", "--write-timeout", "5s")
    bench.client("deaf", server, SLOW, talks=0).ready()
    talker = bench.talk(server, 1, size=16000, fixed=1)
    stats = talker.ask("talk 600 60")
    server.await_log("(--write-timeout)", SLOW, 15)
    dropped = {line.split()[1] for line in server.log_lines("dropped ") if line.startswith("dropped ")}
    ended = len(closed_by(server, "(--write-timeout)"))
    bench.figure("drop-oldest: clients with dropped messages, clients ended by the write timeout",
                 f"{len(dropped)}, {ended}; another client completed {stats['done']} conversation of 600 broadcasts", f"{SLOW}, {SLOW}, 1",
                 len(dropped) == SLOW and ended == SLOW and stats["done"] == 1)
    bench.end()


def memory(bench):
    """Each client sends without end. The server echoes into the client's queue, and drops what exceeds the cap.

    Queues are direct buffers, which the JVM accounts for separately: that figure is checked. The resident memory of the process also depends on
    the collector and on compiled code; it is reported only."""
    server = bench.server("--overflow", "drop-oldest", "--write-timeout", "6s", "--queue-budget", "200MiB",
                          java="-XX:+UseSerialGC -Xms256m -Xmx256m -XX:+AlwaysPreTouch -XX:NativeMemoryTracking=summary")
    warm = bench.talk(server, 1000, size=200)
    warm.ask("run 3")
    base, resident = server.buffers_mib(), server.resident_mib()
    descriptors = server.descriptors()
    slow = bench.client("deaf", server, SLOW, size=4000).ready()
    most = most_resident = 0
    slow.say("wait 20")
    for _ in range(10):
        warm.ask("run 0.5")
        most = max(most, server.buffers_mib())
        most_resident = max(most_resident, server.resident_mib())
    stats = slow.answer(30)
    left = server.await_descriptors(descriptors, 10)
    cap = SLOW * (CAP_MIB + SLACK_MIB) + LOOP_MIB
    bench.figure("memory: buffers while the server echoes into their queues",
                 f"{most:.0f} MiB, {base:.0f} before; resident {most_resident:.0f}, {resident:.0f} before",
                 f"{base:.0f} + {SLOW} x ({CAP_MIB} MiB and two chunks of 64 KiB) + {LOOP_MIB} MiB that the loop keeps", base + SLOW * CAP_MIB / 2 < most <= base + cap)
    bench.figure("memory: their descriptors afterwards", f"{left - descriptors} open, {SLOW - stats['live']} ended", f"0 open, {SLOW} ended",
                 left <= descriptors and stats["live"] == 0)
    bench.end()


def latency(bench):
    server = bench.server("--write-timeout", "60s")
    workers = bench.talk(server, 1000, size=64, fixed=1)
    workers.ask("run 4")
    base = server.resident_mib()
    without, beside, resident = [], [], 0
    for _ in range(3 if bench.quick else 9):
        without.append(workers.ask("run 2"))
        slow = bench.client("deaf", server, SLOW, size=16000).ready()
        slow.ask("blocked 10")
        beside.append(workers.ask("run 2"))
        resident = max(resident, server.resident_mib())
        bench.expect(slow.ask("count")["live"] == SLOW, "slow clients were closed too early")
        slow.kill()
    compare(bench, "p99 of 1,000 other clients", without, beside)
    bench.figure("pause: resident", f"{resident:.0f} MiB, {base:.0f} before", f"{base:.0f} + {SLOW} x {CAP_MIB} MiB",
                 resident <= base + SLOW * CAP_MIB)
    bench.end()


def compare(bench, what, without, beside):
    bad = sum(t["wrong"] + t["finished"] + t["reset"] + t["other"] for t in (without[-1], beside[-1]))
    ratios = [b["p99"] / a["p99"] for a, b in zip(without, beside)]
    bench.figure(what, f"{median(t['p99'] for t in beside) / 1e3:.1f} ms with slow clients, {median(t['p99'] for t in without) / 1e3:.1f} ms without; "
                 f"ratio {median(ratios):.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f}); rates "
                 f"{median(t['rate'] for t in beside):.0f} and {median(t['rate'] for t in without):.0f} per second", "ratio at most 1.2")
    bench.figure(what + ": errors", bad, "0", bad == 0)
