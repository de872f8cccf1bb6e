"""The servers of the scenario relay with their clients, and what is checked of them."""
import time

from common import Client, Failed
from relay_servers import BUS_URL, Bus, ChatServer, PATIENCE_SECONDS, PORT

SERVERS, TOPICS, JOINS = 3, 200, 2
CLIENTS, CLIENTS_QUICK = 3000, 900
CLIENTS_OUTSIDE = 50  # of each server's clients: on the hub, not on the server's machine
COUNTED_SECONDS = 3  # two heartbeats and more: afterwards, a server counts all that others publish to a topic that it has joined
COMPLETE_SECONDS = 30
ERRORS = ("wrong", "ended", "refused", "failed")


class Steady:
    """After how many seconds a fault was over for the clients: each figure counts from its end, such as the restart of the bus."""

    def __init__(self, heard, late, presence):
        self.heard = heard  # the last gap was reported, and each server had received messages of each other
        self.late = late  # the last message had arrived that was older than half a second
        self.presence = presence  # each server saw each client where it was


class Chat:
    """The servers and their clients. Some clients are on the machine of their server, some outside."""

    def __init__(self, bench, machines):
        self.bench, self.machines = bench, machines
        self.size = CLIENTS_QUICK if bench.quick else CLIENTS
        self.bus = Bus(bench, machines)
        self.servers = [ChatServer(bench, machines, i) for i in range(SERVERS)]
        for server in self.servers:
            server.ready()
        self.clients = [self.clients_of(i) for i in range(SERVERS)]
        self.accepted_by_ended = []
        self.gone = {}  # what clients that are gone have counted since the last report

    # ---- clients

    def clients_of(self, i, late=0):
        """Starts the clients of a server: a process within its machine, and one outside. late: others have been publishing."""
        n = self.size // SERVERS
        inside = n - CLIENTS_OUTSIDE
        started = []
        for name, count, first in ((self.machines.name(i), inside, i * n), (self.machines.hub, CLIENTS_OUTSIDE, i * n + inside)):
            options = dict(first=first, topics=TOPICS, joins=JOINS, late=late)
            client = Client(self.bench, f"address={self.machines.address(i)}", PORT, count, options,
                            [*self.machines.within(name), self.bench.relay_client])
            client.connected = {}  # it answers only when it is asked
            client.reported = {}  # its counters at the last report
            started.append(client)
        return started

    def all_clients(self):
        return [client for group in self.clients for client in group]

    def say(self, text):
        for client in self.all_clients():
            client.say(text)

    def ask(self, text):
        """Returns the sums of the numbers that the processes of clients answer."""
        self.say(text)
        answers = [client.answer(PATIENCE_SECONDS) for client in self.all_clients()]
        return {name: sum(answer.get(name, 0) for answer in answers) for name, value in answers[0].items() if isinstance(value, int)}

    @staticmethod
    def add_new(to, client):
        """Adds what a process of clients has counted since the last report."""
        counters = client.ask("count")
        for name, value in counters.items():
            if isinstance(value, int):
                to[name] = to.get(name, 0) + value - client.reported.get(name, 0)
        client.reported = counters

    def first_error(self):
        return next((error for client in self.all_clients() if (error := client.ask("count")["first_error"]) != "-"), "")

    def start(self, rate):
        """Lets clients publish. rate: messages per second of each."""
        for client in self.all_clients():
            client.ask(f"start {rate * client.n}")

    # ---- conditions

    def until(self, what, condition, seconds=PATIENCE_SECONDS, pause=0.1):
        """Waits for a condition; returns after how many seconds it held."""
        start = time.monotonic()
        while not condition():
            if time.monotonic() - start > seconds:
                raise Failed(f"not within {seconds} s: {what}")
            time.sleep(pause)
        return time.monotonic() - start

    def is_presence_right(self):
        """Returns true if each server sees all servers with all their clients, and no other."""
        expected = {server.id: self.size // SERVERS for server in self.servers}
        return all(server.presence() == expected for server in self.servers)

    def have_all_joined(self):
        return self.ask("count")["joined"] == self.size

    def compare(self):
        """Compares what was accepted with what was received or reported, of all servers that are alive or have ended in order."""
        for accepted in [server.accepted() for server in self.servers] + self.accepted_by_ended:
            self.say("accepted " + accepted)
        return self.ask("compare")

    def count_from_now(self):
        """Late clients must receive what is accepted from now on."""
        time.sleep(COUNTED_SECONDS)
        self.compare()
        self.ask("base")

    def hears_each_other(self):
        """Returns after how many seconds since the mark the last gap was reported and each server had received messages of each other, or None
        if one has not; and when the last message arrived that was older than half a second."""
        heard = late = 0
        for server, group in zip(self.servers, self.clients):
            answer = group[0].ask("count")
            firsts = [answer.get("first_" + other.id, -1) for other in self.servers if other is not server]
            if min(firsts) < 0:
                return None, late
            heard, late = max(heard, answer["last_gap"], *firsts), max(late, answer["last_late"])
        return heard, late

    def observe(self, seconds):
        """Called at the end of a fault: observes until everything is steady, and at least for some seconds."""
        self.ask("mark")
        start = time.monotonic()
        right = None
        while time.monotonic() - start < seconds or right is None or self.hears_each_other()[0] is None:
            if time.monotonic() - start > PATIENCE_SECONDS:
                raise Failed(f"not steady within {PATIENCE_SECONDS} s; presence {[server.presence() for server in self.servers]}")
            if not self.is_presence_right():
                right = None
            elif right is None:
                right = time.monotonic() - start
            time.sleep(0.1)
        return Steady(*self.hears_each_other(), right)

    # ---- what happens

    def replace(self, i, url=BUS_URL):
        """Replaces a server by a new process. Returns after how many seconds the presence was right, from the time when all clients have joined."""
        old = self.servers[i]
        moved = [client.ask("count")["moved"] for client in self.clients[i]]
        self.servers[i] = ChatServer(self.bench, self.machines, i, url).ready()
        self.until("the clients have changed to the new server", lambda: all(
            (answer := client.ask("count"))["moved"] - before == answer["joined"] == client.n for client, before in zip(self.clients[i], moved)))
        seconds = self.until("presence is right", self.is_presence_right)
        self.accepted_by_ended.append(" ".join(old.line("ended")))
        if old.process.wait(PATIENCE_SECONDS) != 0:
            raise Failed(f"the server that was replaced has exited with {old.process.returncode}: {old.log()[-500:]}")
        self.bench.processes.remove(old.process)
        return seconds

    def kill(self, i):
        """Kills a server and its clients."""
        for client in self.clients[i]:
            self.add_new(self.gone, client)
        for process in [self.servers[i].process] + [client.process for client in self.clients[i]]:
            process.kill()
            process.wait()
            self.bench.processes.remove(process)

    def report(self, what, may_miss):
        """Stops the load, waits until each message has arrived or was reported, and prints the figures of this phase."""
        self.ask("stop")
        deadline = time.monotonic() + COMPLETE_SECONDS
        differences = ("open", "extra", "unanswered")  # extra: what was accepted after the server was asked
        while any((compared := self.compare())[name] for name in differences) and time.monotonic() < deadline:
            time.sleep(0.5)
        phase, self.gone = self.gone, {}
        for client in self.all_clients():
            self.add_new(phase, client)
        errors = [phase[name] for name in ERRORS] + [compared[name] for name in differences]
        self.bench.figure(
            f"{what}: {phase['deliveries']:,} deliveries, {phase['remote']:,} of them of other servers; {phase['published']:,} published",
            "{} wrong, repeated or out of order; {} connections ended; {} messages and {} connections refused; {} messages neither received nor "
            "reported; {} reported too much; {} not echoed".format(*errors) + (": " + self.first_error() if any(errors) else ""), "each 0",
            not any(errors))
        if may_miss:
            self.bench.figure(f"{what}: reported as missed", f"{phase['gaps']} (a message that 10 members miss counts 10)", "only reported")
        else:
            self.bench.figure(f"{what}: reported as missed", phase["gaps"], "0", phase["gaps"] == 0)
        return phase
