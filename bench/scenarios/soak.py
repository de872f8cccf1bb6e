"""Long runs at 70 % of the best rate: descriptors and live heap are the same at the end as at the start."""
import time

from common import median

CLIENTS, TRANSIENT_CLIENTS = 1000, 100
SLICE_SECONDS = 20


def run(bench):
    seconds = 3600 if bench.hour else 60 if bench.quick else 600
    server = bench.server("--loops", "1")
    steady = bench.talk(server, CLIENTS, size=128)
    steady.ask("run 4")
    best = median(steady.ask("run 3")["rate"] for _ in range(5))
    rate = 0.7 * best
    steady.ask(f"run 5 {rate:.0f}")
    server.live_heap_kib()  # the first jcmd makes the JVM open a socket
    descriptors = server.descriptors()
    run_transient_clients(bench, server)
    server.await_descriptors(descriptors, 15)
    heap, resident = server.live_heap_kib(), server.resident_mib()
    start, answers, errors, p99, rounds = time.monotonic(), 0, 0, [], 0
    before = steady.ask("count")["answers"]
    while time.monotonic() - start < seconds:
        steady.say(f"run {SLICE_SECONDS} {rate:.0f}")
        for _ in range(3):  # other clients connect and disconnect meanwhile, some of them abruptly
            run_transient_clients(bench, server)
            rounds += 1
        stats = steady.answer(SLICE_SECONDS + 30)
        p99.append(stats["p99"])
        answers = stats["answers"]
        errors = stats["wrong"] + stats["finished"] + stats["reset"] + stats["other"]
    left = server.await_descriptors(descriptors, 15)
    heap_after, resident_after = server.live_heap_kib(), server.resident_mib()
    bench.figure(f"{len(p99) * SLICE_SECONDS} s at {rate:.0f} messages per second, 70 % of {best:.0f}",
                 f"{(answers - before) / 1e6:.2f} million of {rate * len(p99) * SLICE_SECONDS / 1e6:.2f} million answers compared, {errors} errors, p99 {sorted(p99)[len(p99) // 2] / 1e3:.1f} ms, {rounds * TRANSIENT_CLIENTS} transient clients",
                 "0 errors", errors == 0)
    bench.figure("descriptors", f"{descriptors} before, {left} after", "equal", left <= descriptors)
    bench.figure("live heap", f"{heap} KiB before, {heap_after} KiB after", "within 512 KiB", heap_after - heap <= 512)
    bench.figure("resident", f"{resident:.0f} MiB before, {resident_after:.0f} MiB after", "reported only")
    code = server.terminate()
    bench.figure("SIGTERM", f"exit {code}", "exit 0", code == 0)


def run_transient_clients(bench, server):
    client = bench.talk(server, TRANSIENT_CLIENTS, first=100_000, size=3000)
    stats = client.ask("talk 10 20")
    bench.expect(stats["done"] == TRANSIENT_CLIENTS, f"transient clients were not served: {stats}")
    half = client.process.pid % 2  # some close in an orderly way, others are killed
    client.close() if half else client.kill()
    bench.processes.remove(client.process)
