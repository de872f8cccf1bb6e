"""More clients than descriptors: few failed accepts, one line in the log, no effect on connected clients, and full recovery."""
import time

from common import attach, detach, strace

LIMIT = 128


def run(bench):
    runs_out(bench)
    knows_its_limit(bench)
    injected(bench)


def runs_out(bench):
    server = bench.server("--max-connections", "1000", prefix=["prlimit", f"--nofile={LIMIT}:{LIMIT}"])
    first = bench.talk(server, 60)
    bench.expect(first.ask("talk 5 10")["done"] == 60, "the first 60 clients are not served")
    more = [bench.talk(server, 75, first=1000 + 100 * i).ready() for i in range(2)]
    seconds = 4 if bench.quick else 10
    first.say(f"run {seconds}")
    calls = strace(server, "-e", "trace=accept4", seconds=seconds)
    stats = first.answer(30)
    failed = calls.count("EMFILE")
    bench.figure(f"failed accepts in {seconds} s with {210} clients and {LIMIT} descriptors", f"{failed / seconds:.1f} per second",
                 "more than 0, at most 10 per second", 0 < failed <= 10 * seconds)
    bench.figure("the 60 clients connected before, meanwhile", f"{stats['answers']} answers, {stats['wrong']} wrong, {stats['live']} connected",
                 "0 wrong, 60 connected", stats["live"] == 60 and stats["wrong"] == 0 and stats["answers"] > 600)
    lines = server.log_lines("accepting is paused")
    bench.figure("lines in the log", len(lines), "1", len(lines) == 1)
    first.close()
    more[0].close()
    again = more[1].ask("talk 5 15")
    new = bench.talk(server, 20)
    late = new.ask("talk 5 15")
    bench.figure("after others disconnected", f"{again['done']} of 75 that waited, {late['done']} of 20 new", "75, 20",
                 again["done"] == 75 and late["done"] == 20)
    resumed = server.await_log("accepting again", 1, 5)
    bench.figure("lines in the log about the recovery", f"{resumed} line", "1 line", resumed == 1)
    bench.end()


def knows_its_limit(bench):
    server = bench.server(prefix=["prlimit", f"--nofile={LIMIT}:{LIMIT}"])
    allowed = LIMIT - 64
    clients = bench.talk(server, 50).ready()
    late = bench.talk(server, 50, first=100).ready()
    calls = strace(server, "-e", "trace=accept4", seconds=2)
    done = late.ask("talk 5 2")["done"]
    bench.figure(f"at its own limit of {allowed} clients", f"{50 + done} of 100 served, {calls.count('EMFILE')} accepts failed", f"{allowed}, 0",
                 50 + done == allowed and "EMFILE" not in calls)
    clients.close()
    done = late.ask("talk 5 10")["done"]
    bench.figure("after 50 disconnected", f"{done} of 50", "50", done == 50)
    bench.end()


def injected(bench):
    last = 12 if bench.quick else 40
    server = bench.server()
    tracer = attach(server, server.log_path + ".strace", "-e", "trace=accept4", "-e", f"inject=accept4:error=EMFILE:when=3..{last}")
    start = time.monotonic()
    clients = bench.talk(server, 100).ready()
    stats = clients.ask("talk 5 60")
    took = time.monotonic() - start
    detach(tracer)
    failures = open(server.log_path + ".strace").read().count("INJECTED")
    bench.figure(f"EMFILE injected into accepts 3 to {last}", f"{stats['done']} of 100 served after {took:.1f} s, {failures} failures, "
                 f"{len(server.log_lines('accepting is paused'))} line", f"100, {last - 2}, 1 line",
                 stats["done"] == 100 and failures == last - 2 and len(server.log_lines("accepting is paused")) == 1)
    bench.end()
