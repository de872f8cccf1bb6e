"""15,000 clients at once: compares every byte, then checks that idle connections use no processor time."""
import time

CLIENTS, PROCESSES = 15_000, 3


def run(bench):
    messages = 5 if bench.quick else 20
    for loops in (1, 2):
        server = bench.server("--loops", str(loops))
        each = CLIENTS // PROCESSES
        start = time.monotonic()
        clients = [bench.talk(server, each, size=200, first=i * each, seed=15) for i in range(PROCESSES)]
        live = sum(client.ready().connected["live"] for client in clients)
        bench.figure(f"{loops} loops: connected", f"{live} in {time.monotonic() - start:.1f} s", f"{CLIENTS}", live == CLIENTS)
        for client in clients:
            client.say(f"talk {messages} 120")
        stats = [client.answer(150) for client in clients]
        done, wrong = sum(t["done"] for t in stats), sum(t["wrong"] for t in stats)
        ended = sum(t["finished"] + t["reset"] + t["other"] for t in stats)
        compared = sum(t["bytes"] for t in stats)
        seconds = max(t["seconds"] for t in stats)
        bench.figure("conversations", f"{done} complete, {wrong} wrong, {ended} ended; {compared / 1e6:.1f} MB compared in {seconds:.1f} s",
                     f"{CLIENTS} complete, 0 wrong, 0 ended", done == CLIENTS and wrong == 0 and ended == 0)
        time.sleep(2)
        idle = 5 if bench.quick else 10
        before, start = server.processor_nanos(), time.monotonic()
        time.sleep(idle)
        after, took = server.processor_nanos(), time.monotonic() - start
        used = {thread: after[thread] - before.get(thread, 0) for thread in after}
        most = max(used, key=used.get)
        bench.figure(f"idle for {idle} s with {CLIENTS} clients",
                     f"{sum(used.values()) / took / 1e7:.3f} % of a core, the busiest thread ({most[0]}) {used[most] / took / 1e7:.3f} %", "below 1 %",
                     sum(used.values()) / took / 1e7 < 1)
        bench.figure("resident", f"{server.resident_mib():.0f} MiB", "reported only")
        for client in clients:
            client.close()
        left = server.await_descriptors(100, 20)
        bench.figure("descriptors after they disconnected", left, "below 100", left < 100)
        code = server.terminate()
        bench.figure("SIGTERM", f"exit {code}", "exit 0", code == 0)
        bench.end()
