"""Measures the shapes. All figures of a table come from the same rounds, in which the peers take turns."""
import json, statistics, subprocess, time
from dataclasses import dataclass

import machine
from peers import LOAD_PROCESSOR, Process, Unavailable
from shapes import COMMON_RATE

FEW, MANY = 5_000, 15_000
ALONE_BYTES = 128 << 20  # with more bytes in flight, each peer runs alone: together they do not fit into memory
REPLY_HEAD = "ok: "


@dataclass(frozen=True)
class Effort:
    rounds: int
    seconds: float   # duration of one measurement
    settle: float    # before each measurement, on the same connections
    warm_up: float   # of a JVM, once per shape
    memory_rounds: int


class LoadFailed(Exception):
    """A peer answered incorrectly, or not at all."""


def load(mode, process, **options):
    arguments = [f"{key}={value}" for key, value in options.items()]
    command = machine.pinned(LOAD_PROCESSOR, [machine.c_program("load"), mode, f"port={process.port}", f"pid={process.pid}", *arguments])
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(client, process):
    try:
        out, errors = client.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        client.kill()
        client.communicate()
        raise LoadFailed("the load generator did not finish")
    if client.returncode:
        raise LoadFailed(" / ".join(filter(None, (errors.strip(), process.last_words()))))
    return json.loads(out.splitlines()[-1])


class Table:
    """Measures one shape, and records the figures of its peers."""

    def __init__(self, shape, labels, peers, effort, report):
        self.shape, self.peers, self.effort, self.report = shape, peers, effort, report
        self.reference = labels[0]
        # The reference runs twice: the difference between its two results is the noise of this machine.
        self.labels = [labels[0], labels[0] + " again", *labels[1:]]
        self.record = {"shape": shape.name, "title": shape.title, "kind": shape.kind, "connections": shape.connections, "size": shape.size,
                       "depth": shape.depth, "reference": self.reference, "complete": False, "rate": None, "peers": {}, "left_out": {}}

    def command(self, label):
        name, _, service = label.removesuffix(" again").partition(":")
        return self.peers.command(name, service or {"lines": "lines", "broadcast": "broadcast"}.get(self.shape.kind, "echo"))

    def start(self, label):
        """Starts a peer and waits for its first answer. Returns None, and records the reason, if that fails."""
        process = None
        try:
            process = Process(label, self.command(label))
            process.await_answer()
            return process
        except (Unavailable, OSError) as e:
            self.leave_out(label, e)
            if process:
                process.end()

    def leave_out(self, label, why):
        self.record["left_out"][label] = str(why)
        self.record["peers"].pop(label, None)
        self.report(f"{self.shape.name}: {label} is skipped: {why}")

    def keep(self, label, kind, figures):
        self.record["peers"].setdefault(label, {}).setdefault(kind, []).append(figures)

    def run(self, save):
        {"idle": self.idle, "start": self.start_up}.get(self.shape.kind, self.throughput)(save)
        self.record["complete"] = True
        save(summarise(self.record))

    # --- messages ---

    def options(self):
        shape = self.shape
        options = {"conns": shape.connections, "size": shape.size}
        if shape.kind in ("echo", "lines"):
            options["depth"] = shape.depth
        if shape.kind == "lines":
            options["head"] = REPLY_HEAD
        return options

    def mode(self):
        return "echo" if self.shape.kind == "lines" else self.shape.kind

    def measure(self, process, seconds, settle, **more):
        return finished(load(self.mode(), process, **self.options(), seconds=seconds, warmup=settle, **more), process)

    def throughput(self, save):
        if self.shape.size * self.shape.depth * self.shape.connections > ALONE_BYTES:
            for label in self.labels:
                self.side_by_side([label], save)
        else:
            self.side_by_side(self.labels, save)

    def side_by_side(self, labels, save):
        running = {}
        try:
            for label in labels:
                process = self.start(label)
                if process:
                    running[label] = process
                    self.attempt(running, label, lambda p: self.measure(p, self.effort.warm_up if p.is_java else 0.3, 0.1))
            for number in range(self.effort.rounds):
                self.report(f"{self.shape.name}: round {number + 1} of {self.effort.rounds}")
                for label in list(running):
                    self.attempt(running, label, lambda p: self.keep(
                        p.label, "rounds", self.measure(p, self.effort.seconds, self.effort.settle)))
                save(summarise(self.record))
            for label in list(running):
                self.attempt(running, label, lambda p: self.allocation(p))
            if self.shape.rated and self.reference in self.record["peers"]:
                self.at_common_rate(running, save)
        finally:
            for process in running.values():
                process.end()

    def attempt(self, running, label, measurement):
        """Measures one peer; one that answers incorrectly is removed from the table."""
        try:
            measurement(running[label])
        except LoadFailed as e:
            running.pop(label).end()
            self.leave_out(label, e)

    def at_common_rate(self, running, save):
        best = statistics.median(run["messages_per_s"] for run in self.record["peers"][self.reference]["rounds"])
        self.record["rate"] = round(COMMON_RATE * best)
        for number in range(self.effort.rounds):
            self.report(f"{self.shape.name} at {self.record['rate']:,}/s: round {number + 1} of {self.effort.rounds}")
            for label in list(running):
                self.attempt(running, label, lambda p: self.keep(
                    p.label, "rated", self.measure(p, self.effort.seconds, self.effort.settle, rate=self.record["rate"])))
            save(summarise(self.record))

    def allocation(self, process):
        """Measures allocation in a run of its own, since the question itself allocates. It is asked several times, to subtract that cost."""
        if not process.is_java:
            return
        client = load(self.mode(), process, **self.options(), seconds=self.effort.seconds, warmup=self.effort.settle)
        client.stdout.readline()  # "measuring": all connections are open
        before = [process.ask("allocated") for _ in range(3)]
        start = time.monotonic()
        time.sleep(0.6 * self.effort.seconds)
        after, seconds = process.ask("allocated"), time.monotonic() - start
        run = finished(client, process)
        if None in before or after is None or not run["messages_per_s"]:
            return  # the JVM is a launcher, and its server has no probe
        bytes_allocated = max(0, after - before[-1] - (before[-1] - before[-2]))
        self.record["peers"][process.label]["allocated_per_message"] = bytes_allocated / (run["messages_per_s"] * seconds)

    # --- memory and start ---

    def idle(self, save):
        for _ in range(self.effort.memory_rounds):
            for label in self.labels:
                self.report(f"idle: {label}")
                process = self.start(label)
                if not process:
                    continue
                client = None
                try:
                    if process.is_java:  # what a JVM needs to compile the code of a new connection is no memory of a connection
                        finished(load("connect", process, conns=50, size=64, seconds=self.effort.warm_up, warmup=0.1), process)
                    client = load("hold", process, size=64)
                    few, many = (self.memory_with(process, client, count) for count in (FEW, MANY))
                    self.keep(label, "rounds", {key: (many[key] - few[key]) / (MANY - FEW) for key in few})
                except LoadFailed as e:
                    self.leave_out(label, e)
                finally:
                    if client:
                        client.kill()
                        client.communicate()
                    process.end()
                save(summarise(self.record))

    @staticmethod
    def memory_with(process, client, count):
        client.stdin.write(f"{count}\n")
        client.stdin.flush()
        if client.stdout.readline() != "ok\n":
            raise LoadFailed(f"{count} connections could not be opened: {client.stderr.read().strip()}")
        heap = process.ask("heap")
        memory = {"resident_bytes": process.resident_bytes()}
        return memory if heap is None else {"heap_bytes": heap, **memory}

    def start_up(self, save):
        for number in range(self.effort.rounds):
            self.report(f"start: round {number + 1} of {self.effort.rounds}")
            for label in self.labels:
                if label in self.record["left_out"]:
                    continue
                process = None
                try:
                    process = Process(label, self.command(label))
                    self.keep(label, "rounds", {"start_ms": 1e3 * process.await_answer()})
                except (Unavailable, OSError) as e:
                    self.leave_out(label, e)
                finally:
                    if process:
                        process.end()
            save(summarise(self.record))


def summarise(record):
    """Adds medians, and for the compared figure the median ratio to the reference in the same round."""
    compared = {"idle": "resident_bytes", "start": "start_ms"}.get(record["kind"], "server_cpu_us_per_message")
    reference = record["peers"].get(record["reference"])
    for peer in record["peers"].values():
        for kind in ("rounds", "rated"):
            if not peer.get(kind):
                continue
            medians = {key: statistics.median(run[key] for run in peer[kind]) for key in peer[kind][0]}
            if "max_us" in medians:
                medians["max_us"] = max(run["max_us"] for run in peer[kind])
            pairs = list(zip(peer[kind], reference.get(kind, []))) if reference else []
            medians["ratio"] = statistics.median(a[compared] / b[compared] for a, b in pairs if b[compared]) if any(b[compared] for _, b in pairs) else None
            peer["median" if kind == "rounds" else "rated_median"] = medians
    return record
