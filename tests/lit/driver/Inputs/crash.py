"""crash.py DUMPS FILE COMMAND...: runs a command that writes the phases of a compilation to DUMPS, and
ends it by SIGSEGV while it writes FILE. Prints what it said and how it ended."""
import fcntl
import os
import select
import signal
import subprocess
import sys

dumps, file, command = sys.argv[1], sys.argv[2], sys.argv[3:]
os.makedirs(dumps)
path = os.path.join(dumps, file)
# A pipe that takes a page: whoever writes more waits until somebody reads.
os.mkfifo(path)
reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
PAGE = 4096
assert fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ if hasattr(fcntl, "F_SETPIPE_SZ") else 1031, PAGE) == PAGE
child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
assert select.select([reader], [], [], 100)[0], "the phase was not reached"
child.send_signal(signal.SIGSEGV)
print(child.communicate()[1])
print("ended by", signal.Signals(-child.returncode).name)
