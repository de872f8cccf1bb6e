"""Hours at 70 % of its own best rate: descriptors and live heap end where they began."""
import time

from common import median

CLIENTS, GUESTS = 1000, 100
SLICE_SECONDS = 20


def run(bench):
    seconds = 3600 if bench.hour else 60 if bench.quick else 600
    server = bench.server("--loops", "1")
    steady = bench.talk(server, CLIENTS, size=128)
    steady.ask("run 4")
    best = median(steady.ask("run 3")["rate"] for _ in range(5))
    rate = 0.7 * best
    steady.ask(f"run 5 {rate:.0f}")
    server.live_heap_kib()  # the first time, the JVM opens a socket to be asked at
    descriptors = server.descriptors()
    guests(bench, server)
    server.await_descriptors(descriptors, 15)
    heap, resident = server.live_heap_kib(), server.resident_mib()
    begun, answers, errors, p99, rounds = time.monotonic(), 0, 0, [], 0
    before = steady.ask("count")["answers"]
    while time.monotonic() - begun < seconds:
        steady.say(f"run {SLICE_SECONDS} {rate:.0f}")
        for _ in range(3):  # others come and go meanwhile, some of them without a word
            guests(bench, server)
            rounds += 1
        told = steady.answer(SLICE_SECONDS + 30)
        p99.append(told["p99"])
        answers = told["answers"]
        errors = told["wrong"] + told["finished"] + told["reset"] + told["other"]
    left = server.await_descriptors(descriptors, 15)
    heap_after, resident_after = server.live_heap_kib(), server.resident_mib()
    bench.figure(f"{len(p99) * SLICE_SECONDS} s at {rate:.0f} messages a second, 70 % of {best:.0f}",
                 f"{(answers - before) / 1e6:.2f} million of {rate * len(p99) * SLICE_SECONDS / 1e6:.2f} million answers compared, {errors} errors, p99 {sorted(p99)[len(p99) // 2] / 1e3:.1f} ms, {rounds * GUESTS} guests",
                 "0 errors", errors == 0)
    bench.figure("descriptors", f"{descriptors} before, {left} after", "equal", left <= descriptors)
    bench.figure("live heap", f"{heap} KiB before, {heap_after} KiB after", "within 512 KiB", heap_after - heap <= 512)
    bench.figure("resident", f"{resident:.0f} MiB before, {resident_after:.0f} MiB after", "told")
    code = server.terminate()
    bench.figure("SIGTERM", f"exit {code}", "exit 0", code == 0)


def guests(bench, server):
    guest = bench.talk(server, GUESTS, first=100_000, size=3000)
    told = guest.ask("talk 10 20")
    bench.expect(told["done"] == GUESTS, f"guests were not served: {told}")
    half = guest.process.pid % 2  # some close in order, some die with their process
    guest.close() if half else guest.kill()
    bench.processes.remove(guest.process)
