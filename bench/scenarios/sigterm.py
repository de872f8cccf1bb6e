"""SIGTERM in the middle of a load: whole replies or none, never a reset, exit code 0 in time."""
import random, time

#           loops, connections, window, longest line
VARIANTS = [(1, 200, 1, 64), (1, 200, 8, 2000), (2, 200, 1, 2000), (2, 200, 8, 64), (1, 50, 1, 60000), (1, 20, 16, 60000)]
DRAIN_SECONDS = 10


def run(bench):
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    times = 10 if bench.quick else 100
    whole = unanswered = partial = resets = others = left = wrong = codes = 0
    longest = 0
    several = 0
    for i in range(times):
        loops, n, window, size = VARIANTS[i % len(VARIANTS)]
        server = bench.server("--loops", str(loops), "--drain-timeout", f"{DRAIN_SECONDS}s")
        client = bench.talk(server, n, window=window, size=size, seed=seed + i).ready()
        client.say("end 25")
        client.answer(5)
        several += loops > 1
        if (i + i // len(VARIANTS)) % 3 != 2:  # each variant in its turn; else at once, while some of them still wait to be accepted
            time.sleep(chance.uniform(0.01, 0.6))
        begun = time.monotonic()
        code = server.terminate()
        took = time.monotonic() - begun
        told = client.answer(30)
        longest = max(longest, took)
        codes += code != 0
        whole += told["answers"]
        unanswered += told["unanswered"]
        partial += told["partial"]
        resets += told["reset"]
        others += told["other"]
        wrong += told["wrong"]
        left += told["live"]
        if code or told["partial"] or told["reset"] or told["other"] or told["wrong"] or told["live"] or took > DRAIN_SECONDS + 2:
            bench.figure(f"time {i}, {VARIANTS[i % len(VARIANTS)]}, seed {seed + i}", f"exit {code} after {took:.1f} s, {told}", "none", False)
        bench.end()
    bench.figure(f"{times} times, {several} of them with 2 loops (seed {seed})", f"{whole} replies whole, {partial} cut, {resets} reset, {others} other errors, {wrong} wrong, "
                 f"{left} not ended; {unanswered} ended before their next reply", "0 cut, 0 reset, 0 others, 0 wrong, 0 not ended",
                 partial == resets == others == wrong == left == 0)
    bench.figure("exit codes other than 0, longest drain", f"{codes}, {longest:.2f} s", f"0, within {DRAIN_SECONDS} s",
                 codes == 0 and longest < DRAIN_SECONDS + 1)
