"""A second server on a port in use fails and names the address, also with several loops and if the first one is a Trivet server."""
import os, subprocess

from common import ROOT


def run(bench):
    for first in (1, 2):
        server = bench.server("--loops", str(first))
        for second in (1, 2):
            for engine in ("epoll", "nio"):
                command = [os.path.join(ROOT, "trivet"), "serve", "-p", str(server.port), "--loops", str(second), "-e", engine]
                got = subprocess.run(command, capture_output=True, text=True, timeout=60)
                said = [line for line in got.stderr.splitlines() if f"127.0.0.1:{server.port}" in line]
                bench.figure(f"{engine}, {second} loops, first server with {first}", f"exit {got.returncode}, {said[:1]}", "exit 1, the address",
                             got.returncode == 1 and len(said) == 1)
        client = bench.talk(server, 10)
        bench.figure("the first server continues", f"{client.ask('talk 5 10')['done']} of 10", "10", client.ask("count")["wrong"] == 0)
        client.close()
        bench.end()
