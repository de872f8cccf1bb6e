"""Runs a command in a terminal of its own: terminal.py COMMAND...

Commands on standard input, a line each: "key TEXT" types a text (Python's escapes), "size ROWS COLUMNS" changes the size of the window. What the
command writes to the terminal goes to standard output. At the end, standard error gets the exit code and the state of the terminal.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios


def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
resize(terminal, 24, 100)
pending = b""
inputs = [terminal, 0]
while True:
    ready, _, _ = select.select(inputs, [], [])
    if terminal in ready:
        try:
            output = os.read(terminal, 65536)
        except OSError:  # the last process on the terminal has ended
            break
        if not output:
            break
        os.write(1, output)
    if 0 in ready:
        typed = os.read(0, 4096)
        if not typed:
            inputs.remove(0)
        pending += typed
        *lines, pending = pending.split(b"\n")
        for line in lines:
            what, _, rest = line.decode().partition(" ")
            if what == "key":
                os.write(terminal, rest.encode().decode("unicode_escape").encode())
            else:
                resize(terminal, *map(int, rest.split()))
_, status = os.waitpid(pid, 0)
flags = termios.tcgetattr(terminal)[3]
print(f"exit {os.waitstatus_to_exitcode(status)}, echo {bool(flags & termios.ECHO)}, lines {bool(flags & termios.ICANON)}", file=sys.stderr)
