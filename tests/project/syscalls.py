"""Errors at chosen system calls of a forked process, without root or a compiler: Linux asks a supervisor (seccomp).

The process installs a filter that hands every system call that saves to its supervisor, who lets it go on or
answers with an error. It catches what Python, NumPy, Pillow and SQLite do alike.
"""

import ctypes
import errno
import os
import platform
import select
import socket
import struct
from collections import Counter
from pathlib import Path

_X86 = {
    "write": 1,
    "pwrite64": 18,
    "writev": 20,
    "fsync": 74,
    "fdatasync": 75,
    "ftruncate": 77,
    "fallocate": 285,
    "open": 2,
    "openat": 257,
    "rename": 82,
    "renameat": 264,
    "unlink": 87,
    "unlinkat": 263,
    "mkdir": 83,
    "mkdirat": 258,
    "sendfile": 40,
    "copy_file_range": 326,
}
_ARM = {
    "write": 64,
    "pwrite64": 68,
    "writev": 66,
    "fsync": 82,
    "fdatasync": 83,
    "ftruncate": 46,
    "fallocate": 47,
    "openat": 56,
    "renameat": 38,
    "unlinkat": 35,
    "mkdirat": 34,
    "sendfile": 71,
    "copy_file_range": 285,
}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
CALLS = {"x86_64": _X86, "aarch64": _ARM}.get(platform.machine(), {})
_NAMES = {number: name for name, number in CALLS.items()}
_NEW_LISTENER, _MODE_FILTER, _NO_NEW_PRIVS = 8, 1, 38
_NOTIFY, _ALLOW = 0x7FC00000, 0x7FFF0000
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NOTICE, _ANSWER = struct.Struct("QIIiIQ6Q"), struct.Struct("QqiI")
_CONTINUE = 1


def available():
    """Whether this system can do it."""
    if platform.system() != "Linux" or not CALLS:
        return False
    action = ctypes.c_uint32(_NOTIFY)
    return ctypes.CDLL(None).syscall(_SECCOMP[platform.machine()], 2, 0, ctypes.byref(action)) == 0


def _filter():
    """The BPF program: these calls are asked about, all others go on."""
    numbers = sorted(CALLS.values())
    steps = [struct.pack("HBBI", 0x20, 0, 0, 0)]  # load the call's number
    for place, number in enumerate(numbers):
        steps.append(struct.pack("HBBI", 0x15, len(numbers) - place, 0, number))  # equal: jump to the last step
    steps += [struct.pack("HBBI", 0x06, 0, 0, _ALLOW), struct.pack("HBBI", 0x06, 0, 0, _NOTIFY)]
    return b"".join(steps), len(steps)


def submit(line):
    """In the process: from now on be asked about; the listener goes to the supervisor through the socket ``line``."""
    libc = ctypes.CDLL(None, use_errno=True)
    program, steps = _filter()
    kept = ctypes.create_string_buffer(program)
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", steps, ctypes.addressof(kept)))
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    listener = libc.syscall(_SECCOMP[platform.machine()], _MODE_FILTER, _NEW_LISTENER, header)
    if listener < 0:
        raise OSError(ctypes.get_errno(), "no seccomp listener")
    socket.send_fds(line, [b"here"], [listener])
    os.close(listener)


class Supervisor:
    """Lets calls that save below ``folder`` fail: the ``nth``, and all later ones too where ``lasting``."""

    def __init__(self, folder, nth, error, lasting):
        self.folder = str(folder)
        self.nth, self.error, self.lasting = nth, error, lasting
        self.armed, self.seen, self.refused = False, 0, Counter()

    def serve(self, line, child):
        """Answer until the process has ended; words on the socket ``line`` arm and disarm. Its wait status."""
        _, descriptors, _, _ = socket.recv_fds(line, 16, 1)
        if not descriptors:
            return os.waitpid(child, 0)[1]
        listener, death = descriptors[0], os.pidfd_open(child)
        try:
            while True:
                ready = select.select([listener, line, death], [], [])[0]
                if death in ready:  # first: the other two are for ever "ready" then
                    return os.waitpid(child, 0)[1]
                if listener in ready:
                    self._answer(listener)
                elif word := line.recv(1):
                    self.armed = word == b"!"
                    line.send(b".")
        finally:
            os.close(listener)
            os.close(death)

    def _answer(self, listener):
        import fcntl

        notice = bytearray(_NOTICE.size)
        try:
            fcntl.ioctl(listener, _RECEIVE, notice)
        except OSError:
            return  # the process was killed meanwhile
        number, pid, _, call, _, _, *arguments = _NOTICE.unpack(notice)
        name = _NAMES[call]
        refuse = self.armed and self._saves(name, pid, arguments) and self._due(name)
        answer = _ANSWER.pack(number, 0, -self.error if refuse else 0, 0 if refuse else _CONTINUE)
        try:
            fcntl.ioctl(listener, _SEND, bytearray(answer))
        except OSError as problem:
            if problem.errno != errno.ENOENT:
                raise

    def _due(self, name):
        self.seen += 1
        due = self.seen == self.nth or (self.lasting and self.seen > self.nth)
        if due:
            self.refused[name] += 1
        return due

    def _saves(self, name, pid, arguments):
        """Whether the call changes something in the folder."""
        if name in ("open", "openat"):
            flags = arguments[1 if name == "open" else 2]
            path = _text(pid, arguments[0 if name == "open" else 1])
            return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) and path.startswith(self.folder)
        if name in ("rename", "unlink", "mkdir"):
            return _text(pid, arguments[0]).startswith(self.folder)
        if name in ("renameat", "unlinkat", "mkdirat"):
            return _text(pid, arguments[1]).startswith(self.folder)
        try:
            return str(Path(f"/proc/{pid}/fd/{arguments[0]}").readlink()).startswith(self.folder)
        except OSError:
            return False


def _text(pid, address):
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        memory.seek(address)
        return memory.read(4096 - address % 4096).split(b"\0")[0].decode(errors="replace")
