"""Handover under load: each process takes over from the one before. No client is refused or reset, and every message is answered."""
import multiprocessing, os, socket, time

from common import Failed, echo

ROUNDS = 1000
ROUNDS_QUICK = 20
CLIENTS = 4
PAUSE_SECONDS = 0.0005  # leaves processor time for the start of the next process
PATIENCE_SECONDS = 300  # on a machine that is busy with something else


def converse(addresses, questions, over, answers, failures):
    """Connects, asks some questions and leaves, again and again. A message without its answer is a failure."""
    number = 0
    while not over.value:
        family, address = addresses[number % len(addresses)]
        number += 1
        asked = "nothing"
        try:
            with socket.socket(family, socket.SOCK_STREAM) as client:
                client.settimeout(PATIENCE_SECONDS)
                client.connect(address)
                for i in range(questions):
                    asked = b"question %d of %d\n" % (i, number)
                    echo(client, asked)
                    with answers.get_lock():
                        answers.value += 1
                    if over.value:
                        break
                    time.sleep(PAUSE_SECONDS)
        except (OSError, EOFError, ValueError) as failure:
            failures.put(f"{address}, {asked}: {failure!r}")
            return


def run(bench):
    rounds = ROUNDS_QUICK if bench.quick else ROUNDS
    control, path = os.path.join(bench.folder, "handover"), os.path.join(bench.folder, "app.sock")
    options = ["-H", "127.0.0.1", "-H", f"unix:{path}", "--handover", control]
    java = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -Xmx64m"
    server = bench.server(*options, java=java)
    port = server.ports[0]
    addresses = [(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_UNIX, path)]
    over, answers, failures = multiprocessing.Value("i", 0), multiprocessing.Value("q", 0), multiprocessing.Queue()
    clients = [multiprocessing.Process(target=converse, args=(addresses, 1 if i % 2 == 0 else 200, over, answers, failures), daemon=True)
               for i in range(CLIENTS)]
    for client in clients:
        client.start()
    start = time.monotonic()
    done = codes = 0
    try:
        while done < rounds and failures.empty():
            try:
                successor = bench.server(*options, java=java)
            except Failed as failure:
                raise Failed(f"{failure}; exit code of the server that is replaced: {server.process.poll()}, its log: {server.log().strip()[-500:]}; "
                             f"the address of the handover exists: {os.path.exists(control)}")
            codes += server.process.wait(PATIENCE_SECONDS) != 0
            before = answers.value
            bench.processes.remove(server.process)
            server = successor
            done += 1
            deadline = time.monotonic() + PATIENCE_SECONDS
            while answers.value < before + 20 and time.monotonic() < deadline:
                time.sleep(0.005)
            bench.expect(answers.value >= before + 20, f"no answers after handover {done}: {server.log().strip()[-500:]}")
    finally:
        over.value = 1
        for client in clients:
            client.join(PATIENCE_SECONDS)
        lost = []
        while not failures.empty():
            lost.append(failures.get())
        for line in lost:
            bench.figure("a client", line, "no failure", False)
    bench.figure(f"{done} handovers in {time.monotonic() - start:.0f} s, {answers.value} answers",
                 f"{len(lost)} refused, reset or without an answer; {codes} exit codes other than 0", f"{rounds} handovers, 0, 0",
                 done == rounds and not lost and not codes)
    bench.figure("exit code of the last server", server.terminate(), "0", True)
