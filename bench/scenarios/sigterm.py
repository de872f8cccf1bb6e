"""SIGTERM under load: complete replies or none, no resets, exit code 0 in time."""
import random, time

#           loops, connections, window, longest line
VARIANTS = [(1, 200, 1, 64), (1, 200, 8, 2000), (2, 200, 1, 2000), (2, 200, 8, 64), (1, 50, 1, 60000), (1, 20, 16, 60000)]
DRAIN_SECONDS = 10


def run(bench):
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    runs = 10 if bench.quick else 100
    whole = unanswered = partial = resets = others = left = wrong = codes = 0
    longest = 0
    with_two_loops = 0
    for i in range(runs):
        loops, n, window, size = VARIANTS[i % len(VARIANTS)]
        server = bench.server("--loops", str(loops), "--drain-timeout", f"{DRAIN_SECONDS}s")
        client = bench.talk(server, n, window=window, size=size, seed=seed + i).ready()
        client.say("end 25")
        client.answer(5)
        with_two_loops += loops > 1
        if (i + i // len(VARIANTS)) % 3 != 2:  # two of three runs after a delay; otherwise at once, while some connections still wait to be accepted
            time.sleep(chance.uniform(0.01, 0.6))
        start = time.monotonic()
        code = server.terminate()
        took = time.monotonic() - start
        stats = client.answer(30)
        longest = max(longest, took)
        codes += code != 0
        whole += stats["answers"]
        unanswered += stats["unanswered"]
        partial += stats["partial"]
        resets += stats["reset"]
        others += stats["other"]
        wrong += stats["wrong"]
        left += stats["live"]
        if code or stats["partial"] or stats["reset"] or stats["other"] or stats["wrong"] or stats["live"] or took > DRAIN_SECONDS + 2:
            bench.figure(f"run {i}, {VARIANTS[i % len(VARIANTS)]}, seed {seed + i}", f"exit {code} after {took:.1f} s, {stats}", "none", False)
        bench.end()
    bench.figure(f"{runs} runs, {with_two_loops} of them with 2 loops (seed {seed})", f"{whole} complete replies, {partial} cut, {resets} resets, {others} other errors, {wrong} wrong, "
                 f"{left} not ended; {unanswered} ended before their next reply", "0 cut, 0 resets, 0 other errors, 0 wrong, 0 not ended",
                 partial == resets == others == wrong == left == 0)
    bench.figure("exit codes other than 0, longest drain", f"{codes}, {longest:.2f} s", f"0, within {DRAIN_SECONDS} s",
                 codes == 0 and longest < DRAIN_SECONDS + 1)
