"""The same as urgent.c, in Python."""
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
    for text in sys.argv[2:]:
        if text.startswith("!"):
            s.send(text[1:].encode(), socket.MSG_OOB)
        else:
            s.sendall(text.encode())
    while chunk := s.recv(100):
        print(chunk.decode(), end="")
