"""Child processes that cannot outlive the test run, free ports, short-lived directories."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signum):
    """A preexec_fn: the child gets `signum` when the thread that started it ends."""

    def preexec():
        _libc.prctl(_PR_SET_PDEATHSIG, signum)

    return preexec


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def server_user():
    """Keyword arguments for subprocess that make a server run as an ordinary user: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def make_directory(prefix):
    """A new directory with a short path (a Unix socket's path has 107 bytes), owned by the servers' user."""
    path = tempfile.mkdtemp(prefix=prefix)
    owner = server_user()
    if owner:
        os.chown(path, owner["user"], owner["group"])
        os.chmod(path, 0o755)
    return path


def remove_directory(path):
    shutil.rmtree(path, ignore_errors=True)


def spawn(argv, *, stderr, env=None, death_signal=signal.SIGKILL, as_server_user=False, cwd=None):
    """Starts argv with nothing on stdin and both outputs appended to the file `stderr`."""
    with open(stderr, "ab") as log:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=env,
            cwd=cwd,
            preexec_fn=die_with_parent(death_signal),
            **(server_user() if as_server_user else {}),
        )


def wait_until(condition, timeout=10.0, what="the condition", interval=0.02):
    """Polls `condition` until it is true and returns its value; AssertionError naming `what` at the timeout."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"gave up after {timeout:g} s waiting for {what}")
        time.sleep(interval)


def port_answers(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), timeout=1).close()
        return True
    except OSError:
        return False


def socket_answers(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def rss_bytes(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def thread_count(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def open_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
