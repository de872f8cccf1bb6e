"""A TCP proxy that can be slow: slow_proxy.py ADDRESS PORT TARGET_PORT.

Each line on standard input is a new rate in bytes per second, for each direction of each connection; 0: no limit.
"""
import socket, sys, threading, time

TICK_SECONDS = 0.1
RECEIVE_BUFFER_BYTES = 4096  # so that bytes wait at the sender, not here
rate = 0


def pump(source, target):
    """Passes on bytes until one side ends. Reads no more than it may send, so that the sender's socket buffer fills."""
    try:
        while data := source.recv(max(1, int(rate * TICK_SECONDS)) if rate else 1 << 16):
            target.sendall(data)
            if rate:
                time.sleep(TICK_SECONDS)
    except OSError:
        pass
    for each in (source, target):
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(listener, address, port):
    while True:
        client, _ = listener.accept()
        try:
            server = socket.create_connection((address, port))
        except OSError:
            client.close()
            continue
        for pair in ((client, server), (server, client)):
            threading.Thread(target=pump, args=pair, daemon=True).start()


address, port, target = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)  # accepted sockets inherit it
listener.bind((address, port))
listener.listen()
threading.Thread(target=serve, args=(listener, address, target), daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    rate = float(line)
