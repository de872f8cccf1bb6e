"""The processes of the scenario relay: machines as network namespaces, a nats-server, a slow proxy, and the servers."""
import os, select, subprocess, sys

from common import Failed, HERE, Server

PORT, BUS_PORT, PROXY_PORT = 7000, 4222, 4223
HUB_ADDRESS = "10.77.0.1"
BUS_URL, PROXY_URL = (f"nats://{HUB_ADDRESS}:{port}" for port in (BUS_PORT, PROXY_PORT))
QUEUE_BYTES = 256 << 10
PATIENCE_SECONDS = 120  # on a machine that is busy with something else
JAVA = ["-XX:+UseSerialGC", "-Xmx256m", "-Xshare:auto", "--enable-native-access=ALL-UNNAMED"]


def command(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


class Machines:
    """A network namespace with a bridge (the hub), and one for each server, joined to the bridge by a pair of veth."""

    def __init__(self, count):
        self.count = count
        self.prefix = f"trivet{os.getpid()}"
        self.hub = self.prefix + "hub"
        self.names = []

    def open(self):
        self.add(self.hub)
        self.ip(self.hub, "link", "add", "bridge", "type", "bridge")
        self.ip(self.hub, "addr", "add", HUB_ADDRESS + "/24", "dev", "bridge")
        self.ip(self.hub, "link", "set", "bridge", "up")
        for i in range(self.count):
            self.add(self.name(i))
            self.ip(self.hub, "link", "add", f"to{i}", "type", "veth", "peer", "name", "eth0", "netns", self.name(i))
            self.ip(self.hub, "link", "set", f"to{i}", "master", "bridge", "up")
            self.ip(self.name(i), "addr", "add", f"{self.address(i)}/24", "dev", "eth0")
            self.ip(self.name(i), "link", "set", "eth0", "up")

    def add(self, name):
        command("ip", "netns", "add", name)
        self.names.append(name)
        self.ip(name, "link", "set", "lo", "up")

    @staticmethod
    def ip(name, *words):
        return command("ip", "-n", name, *words)

    def name(self, i):
        return f"{self.prefix}s{i}"

    @staticmethod
    def address(i):
        return f"10.77.0.{10 + i}"

    def pull_cable(self, i):
        self.ip(self.hub, "link", "set", f"to{i}", "down")

    def plug_in_cable(self, i):
        self.ip(self.hub, "link", "set", f"to{i}", "up")

    def within(self, name):
        """Returns the start of a command that runs in a namespace. ip replaces itself by the program (exec)."""
        return ["ip", "netns", "exec", name]

    def close(self):
        for name in reversed(self.names):
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)


class Bus:
    """A nats-server on the hub."""

    def __init__(self, bench, machines):
        self.bench = bench
        self.command = [*machines.within(machines.hub), "nats-server", "-a", HUB_ADDRESS, "-p", str(BUS_PORT)]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.bench.processes.append(self.process)
        lines = []
        while not lines or "Server is ready" not in lines[-1]:
            lines.append(self.process.stderr.readline())
            if not lines[-1]:
                raise Failed("nats-server has ended: " + "".join(lines)[-500:])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        self.bench.processes.remove(self.process)


class SlowProxy:
    """A process of slow_proxy.py between a server and the bus."""

    def __init__(self, bench, machines):
        self.process = subprocess.Popen([*machines.within(machines.hub), sys.executable, os.path.join(HERE, "slow_proxy.py"), HUB_ADDRESS,
                                         str(PROXY_PORT), str(BUS_PORT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        bench.processes.append(self.process)
        if self.process.stdout.readline() != "ready\n":
            raise Failed("slow_proxy.py has ended")

    def limit(self, bytes_per_second):
        self.process.stdin.write(f"{bytes_per_second}\n")


class ChatServer:
    """A process of RelayServer.java."""

    def __init__(self, bench, machines, i, url=BUS_URL):
        bench.started += 1
        self.log_path = os.path.join(bench.folder, f"relay-log{bench.started}")
        arguments = [str(PORT), url, str(QUEUE_BYTES), os.path.join(bench.folder, f"handover{i}")]
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen([*machines.within(machines.name(i)), bench.java, *JAVA, "-cp", bench.class_path, "RelayServer",
                                             *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1)
        bench.processes.append(self.process)
        self.pid = self.process.pid

    jcmd, live_heap_kib = Server.jcmd, Server.live_heap_kib

    def ready(self):
        self.id = self.line("ready")[0]
        return self

    def line(self, expected):
        if not select.select([self.process.stdout], [], [], PATIENCE_SECONDS)[0]:
            raise Failed(f"a server did not answer within {PATIENCE_SECONDS} s: {self.log()[-500:]}")
        words = self.process.stdout.readline().split()
        if not words or words[0] != expected:
            raise Failed(f"a server has answered {words[:3]}, not {expected}: {self.log()[-500:]}")
        return words[1:]

    def ask(self, *question):
        self.process.stdin.write(" ".join(map(str, question)) + "\n")
        return self.line(question[0])

    def numbers(self, question):
        return {name: int(value) for name, value in (word.split("=") for word in self.ask(question))}

    def presence(self):
        """Returns the number of clients by server, as this one sees it."""
        return self.numbers("presence")

    def stats(self):
        return self.numbers("stats")

    def accepted(self):
        """Returns its id, and the number of messages that it has accepted for each topic: ID TOPIC=COUNT…"""
        return " ".join(self.ask("accepted"))

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()
