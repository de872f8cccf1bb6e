"""Servers that share their messages over NATS, each in a network namespace of its own: each loss is reported, and nothing comes twice."""
import os, random, shutil, signal, statistics, subprocess, sys, time

from common import Failed, HERE, ROOT
from relay_chat import Chat, SERVERS, TOPICS
from relay_servers import ChatServer, Machines, PROXY_URL, QUEUE_BYTES, SlowProxy

DELIVERIES, DELIVERIES_QUICK = 10_000_000, 100_000
DELIVERIES_SECONDS = 1500
RATE, RATE_FAULTS = 0.5, 0.1  # messages per second of each client; with 3,000 clients each message is delivered to 30
BUS_KILLS, BUS_KILLS_QUICK = 20, 3
STEADY_SECONDS = 2
OBSERVED_SECONDS = 5
STALL_SECONDS = 6
SLOW_BYTES_PER_SECOND, SLOW_SECONDS = 1000, 15
SLOW_ROUNDS, SLOW_ROUNDS_QUICK = 5, 1
FLOOD_MESSAGES = 250  # a second: 1 MB, more than the slow bus and all buffers take
HEAP_BYTES_MAX = 2 * QUEUE_BYTES + (4 << 20)  # what docs/relay.md says, and 2 MiB for the objects of the messages


def no_fault(bench, chat):
    deliveries = DELIVERIES_QUICK if bench.quick else DELIVERIES
    start = time.monotonic()
    chat.start(RATE)
    while chat.ask("count")["deliveries"] < deliveries and time.monotonic() - start < DELIVERIES_SECONDS:
        time.sleep(0.5)
    seconds = time.monotonic() - start
    phase = chat.report("no fault", False)
    bench.figure("no fault: deliveries", f"{phase['deliveries']:,}, {phase['deliveries'] / seconds:,.0f} per second", f"{deliveries:,}")
    stats = [server.stats() for server in chat.servers]
    lost = [sum(each[name] for each in stats) for name in ("duplicates", "dropped", "overruns", "slow")]
    bench.figure("no fault: suppressed as repeated, dropped by the queue, by a full inbox, and by NATS", lost, "each 0", not any(lost))


def report_steady(bench, what, all_steady):
    for name, goal in (("heard", "last gap reported, and each server receives from each other"), ("presence", "presence right")):
        seconds = [getattr(each, name) for each in all_steady]
        bench.figure(f"{what}: {goal} after", f"{', '.join(f'{each:.2f}' for each in seconds)} s", f"{STEADY_SECONDS} s each")
    bench.figure(f"{what}: last message older than 0.5 s after", ", ".join(f"{each.late:.2f}" for each in all_steady) + " s", "only reported")


def bus_dies(bench, chat, draw):
    all_steady = []
    chat.start(RATE_FAULTS)
    for _ in range(BUS_KILLS_QUICK if bench.quick else BUS_KILLS):
        time.sleep(draw.uniform(0.2, 1))
        chat.bus.kill()
        time.sleep(draw.choice([0.1, 0.5, 1, 2, 4]) * draw.uniform(0.7, 1.3))
        chat.bus.start()
        all_steady.append(chat.observe(OBSERVED_SECONDS))
    chat.report(f"bus killed {len(all_steady)} times", True)
    report_steady(bench, "bus killed", all_steady)


def partitions(bench, chat, draw):
    """Pulls the network cable of each server in turn: for less time than it takes to notice, and for longer than others wait before they report
    the server as lost."""
    all_steady = []
    chat.start(RATE_FAULTS)
    for i in range(SERVERS):
        for seconds in (1.5, 6):
            chat.machines.pull_cable(i)
            time.sleep(seconds * draw.uniform(0.8, 1.2))
            chat.machines.plug_in_cable(i)
            all_steady.append(chat.observe(OBSERVED_SECONDS))
    chat.report(f"{len(all_steady)} partitions", True)
    report_steady(bench, "partitions", all_steady)


def servers_stall(bench, chat, draw):
    """Stops the process of each server in turn, for longer than others wait before they report it as lost. The bus is not affected."""
    all_steady = []
    before = [server.stats()["connects"] for server in chat.servers]
    chat.start(RATE_FAULTS)
    for server in chat.servers:
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(STALL_SECONDS * draw.uniform(0.9, 1.1))
        server.process.send_signal(signal.SIGCONT)
        all_steady.append(chat.observe(OBSERVED_SECONDS))
    chat.report(f"{len(all_steady)} stalled servers", False)
    report_steady(bench, "stalled servers", all_steady)
    cut = sum(server.stats()["connects"] for server in chat.servers) - sum(before)
    bench.figure("stalled servers: connections to the bus that ended", cut, "0", cut == 0)


def server_dies(bench, chat, draw):
    chat.start(RATE_FAULTS)
    time.sleep(2)
    i = draw.randrange(SERVERS)
    dead = chat.servers[i]
    chat.ask("mark")
    start = time.monotonic()
    chat.kill(i)
    others = [client for group in chat.clients if group is not chat.clients[i] for client in group]
    chat.until("the others report the lost server once to each of their clients",
               lambda: all(client.ask("count").get("lost_" + dead.id) == client.n for client in others), 30)
    bench.figure("server killed: reported to all clients of the others after", f"{time.monotonic() - start:.2f} s", "only reported")
    chat.servers[i] = ChatServer(bench, chat.machines, i).ready()
    chat.clients[i] = chat.clients_of(i, late=1)
    chat.until("the clients of the new server have joined", chat.have_all_joined)
    seconds = chat.until("presence is right", chat.is_presence_right)
    bench.figure("server killed: presence right after the clients of the new one have joined", f"{seconds:.2f} s", f"{STEADY_SECONDS} s")
    chat.count_from_now()
    chat.start(RATE_FAULTS)
    time.sleep(5)
    chat.report("server killed", True)


def rolling_restart(bench, chat):
    chat.start(RATE_FAULTS)
    times, replaced = [], [server.id for server in chat.servers]
    chat.ask("mark")
    for i in range(SERVERS):
        time.sleep(1)
        times.append(chat.replace(i))
        chat.count_from_now()
    chat.report("rolling restart", False)
    lost = [client.ask("count").get("lost_" + name, 0) for client in chat.all_clients() for name in replaced]
    bench.figure("rolling restart: replaced servers reported as lost", sum(lost), "0", not any(lost))
    bench.figure("rolling restart: presence right after", ", ".join(f"{seconds:.2f}" for seconds in times) + " s", f"{STEADY_SECONDS} s each")


def slow_bus(bench, chat):
    """The first server reaches the bus through a proxy that becomes slow. The server publishes more than that."""
    proxy = SlowProxy(bench, chat.machines)
    chat.replace(0, PROXY_URL)
    chat.count_from_now()
    server, local = chat.servers[0], chat.clients[0][0]
    chat.start(RATE_FAULTS)
    server.ask("flood", FLOOD_MESSAGES)

    def observe(seconds):
        """Returns the p99 of the clients within, in µs, and the most bytes in the queue."""
        local.ask("mark")
        queued = 0
        for _ in range(seconds):
            time.sleep(1)
            queued = max(queued, server.stats()["queuedBytes"])
        return local.ask("count")["p99"], queued

    observe(5)  # until the JIT compiler has finished
    bench.expect(server.stats()["dropped"] == 0, "messages are dropped although the bus is not slow")
    heap = server.live_heap_kib()
    ratios, most_queued, grown, all_steady = [], 0, 0, []
    for _ in range(SLOW_ROUNDS_QUICK if bench.quick else SLOW_ROUNDS):
        usual, _ = observe(SLOW_SECONDS)
        proxy.limit(SLOW_BYTES_PER_SECOND)
        slow, queued = observe(SLOW_SECONDS)
        grown = max(grown, server.live_heap_kib() - heap)
        proxy.limit(0)
        all_steady.append(chat.observe(OBSERVED_SECONDS))
        ratios.append(slow / usual)
        most_queued = max(most_queued, queued)
    server.ask("flood", 0)
    chat.report("slow bus", True)
    report_steady(bench, "slow bus", all_steady)
    stats = server.stats()
    bench.figure("slow bus: p99 of the clients of the same server", f"{statistics.median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f})",
                 "at most 1.2 times")
    bench.figure("slow bus: most bytes in the queue", most_queued, f"up to {QUEUE_BYTES}", 0 < most_queued <= QUEUE_BYTES)
    bench.figure("slow bus: live heap grown by", f"{grown} KiB", f"at most {HEAP_BYTES_MAX >> 10} KiB", grown <= HEAP_BYTES_MAX >> 10)
    bench.figure("slow bus: messages that the queue has dropped, and reported", f"{stats['dropped']}, {stats['reportedDrops']}", "equal, some",
                 0 < stats["dropped"] == stats["reportedDrops"])
    bench.figure("slow bus: connections to the bus", stats["connects"], "only reported")


def prepare(bench):
    if os.geteuid() != 0:
        raise Failed("network namespaces need root")
    for program in ("ip", "nats-server"):
        if shutil.which(program) is None:
            raise Failed(f"{program} is not installed, or not on the PATH")
    bench.relay_client = os.path.join(bench.folder, "relay_client")
    subprocess.run(["gcc", "-O2", "-Wall", "-o", bench.relay_client, os.path.join(HERE, "relay_client.c")], check=True)
    sys.path.insert(0, os.path.join(ROOT, "bench"))
    import machine
    programs = os.path.join(machine.java_home(), "bin")
    jar = os.path.join(ROOT, "app", "target", "trivet.jar")
    bench.java = os.path.join(programs, "java")
    bench.class_path = jar + os.pathsep + bench.folder
    subprocess.run([os.path.join(programs, "javac"), "-cp", jar, "-d", bench.folder, os.path.join(HERE, "RelayServer.java")], check=True)


def run(bench):
    prepare(bench)
    seed = random.randrange(1 << 30)
    draw = random.Random(seed)
    machines = Machines(SERVERS)
    terminate = signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # otherwise the namespaces would stay
    try:
        machines.open()
        chat = Chat(bench, machines)
        chat.until("all clients have joined", chat.have_all_joined)
        seconds = chat.until("presence is right", chat.is_presence_right)
        bench.figure(f"{chat.size} clients, {TOPICS} topics, seed {seed}: presence right after all have joined", f"{seconds:.2f} s",
                     f"{STEADY_SECONDS} s")
        chat.count_from_now()
        no_fault(bench, chat)
        bus_dies(bench, chat, draw)
        partitions(bench, chat, draw)
        servers_stall(bench, chat, draw)
        server_dies(bench, chat, draw)
        rolling_restart(bench, chat)
        slow_bus(bench, chat)
    finally:
        bench.end()
        machines.close()
        signal.signal(signal.SIGTERM, terminate)
