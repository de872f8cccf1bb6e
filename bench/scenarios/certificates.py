"""Certificates are replaced under load: every message is answered, and new connections see the new certificate at once."""
import multiprocessing, os, shutil, signal, socket, ssl, time

from common import echo

ROUNDS = 1000
ROUNDS_QUICK = 100
BAD_EVERY = 10
CLIENTS = 3
PATIENCE_SECONDS = 30
ENGINES = ["openssl", "jdk"]


def connect(context, port):
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS), server_hostname="localhost")


def converse(authority, port, questions, over, answers, failures):
    """Connects, sends some lines and leaves, again and again. A line without its echo is a failure."""
    context = ssl.create_default_context(cafile=authority)
    number = 0
    while not over.value:
        number += 1
        try:
            with connect(context, port) as client:
                for i in range(questions):
                    echo(client, b"line %d of %d\n" % (i, number))
                    with answers.get_lock():
                        answers.value += 1
                    if over.value:
                        break
                    time.sleep(0.001)
        except (OSError, EOFError, ValueError) as failure:
            failures.put(f"connection {number}: {failure!r}")
            return


def replace(source, target):
    shutil.copyfile(source, target + ".new")
    os.rename(target + ".new", target)


def run(bench):
    authority = bench.certificate("authority")
    versions = [bench.certificate(name, authority) for name in ("first", "second")]
    for engine in ENGINES:
        reloads(bench, engine, authority[0], versions)
        bench.end()


def reloads(bench, engine, authority, versions):
    rounds = ROUNDS_QUICK if bench.quick else ROUNDS
    certificate, key = (os.path.join(bench.folder, name) for name in ("tls.crt", "tls.key"))
    replace(versions[0][0], certificate)
    replace(versions[0][1], key)
    server = bench.server("--tls-cert", certificate, "--tls-key", key, "--tls-engine", engine)
    over, answers, failures = multiprocessing.Value("i", 0), multiprocessing.Value("q", 0), multiprocessing.Queue()
    clients = [multiprocessing.Process(target=converse, args=(authority, server.port, (1, 20, 1000000)[i % 3], over, answers, failures), daemon=True)
               for i in range(CLIENTS)]
    for client in clients:
        client.start()
    context = ssl.create_default_context(cafile=authority)
    start = time.monotonic()
    current, stale, bad = 0, 0, 0
    try:
        for number in range(1, rounds + 1):
            is_bad = number % BAD_EVERY == 0
            replace(versions[1 - current][0], certificate)
            if not is_bad:  # otherwise the key does not belong to the certificate
                current = 1 - current
                replace(versions[current][1], key)
            server.process.send_signal(signal.SIGHUP)
            text = "stays as it was" if is_bad else "was read again"
            await_line(bench, server, text, number // BAD_EVERY if is_bad else number - number // BAD_EVERY)
            bad += is_bad
            with connect(context, server.port) as client:
                echo(client, b"hello\n")
                name = dict(part[0] for part in client.getpeercert()["subject"])["commonName"]
                stale += name != ("first", "second")[current]
    finally:
        over.value = 1
        for client in clients:
            client.join(PATIENCE_SECONDS)
    lost = []
    while not failures.empty():
        lost.append(failures.get())
    for line in lost:
        bench.figure(f"{engine}: a client", line, "no failure", False)
    bench.figure(f"{engine}: {rounds} reloads in {time.monotonic() - start:.0f} s, {bad} of them of a bad file, {answers.value} answers",
                 f"{len(lost)} failed clients; {stale} new connections with another certificate than the last good one", "0; 0", not lost and not stale)
    code = server.terminate()
    bench.figure(f"{engine}: exit code", code, "0", code == 0)


def await_line(bench, server, text, count):
    """Waits until the log has a number of lines with a text."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(server.log_lines(text)) < count:
        bench.expect(time.monotonic() < deadline, f"reload {count} ({text}) is not in the log: {server.log().strip()[-500:]}")
        time.sleep(0.002)
