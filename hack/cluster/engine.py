"""The Docker engine: the running one, else Debian's, installed and started by hand.

By hand, because a machine without a running engine is mostly a container or a small virtual
machine without systemd.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from hack import cache
from hack.cluster import bounded_runc
from hack.shell import Shell, TimedOut
from hack.steps import Bound, Step, tail

PACKAGES: Final = ("docker.io", "containerd", "runc", "iptables", "debootstrap", "skopeo")
# Debian's engine keeps its containerd's pid here, and trusts it even when it is long dead.
CONTAINERD_PID: Final = Path("/run/docker/containerd/containerd.pid")
CAP_SYS_RESOURCE: Final = 24  # its bit, see capabilities(7)
START_SECONDS: Final = 60


def steps() -> list[Step]:
    """Two steps, `engine packages` and `engine`; nothing is touched where an engine answers."""
    return [
        Step(
            name="engine packages",
            make=_install,
            present=lambda _: answers() or shutil.which("dockerd") is not None,
            bound=Bound.NETWORK,
            mend="install Docker by hand (https://docs.docker.com/engine/install/)",
        ),
        Step(
            name="engine",
            make=_start,
            present=lambda _: answers(),
            needs=("engine packages",),
            bound=Bound.NETWORK,
            mend="read the engine's own log, named above; or start Docker by hand",
        ),
    ]


def answers() -> bool:
    """Whether a Docker engine answers this user."""
    if shutil.which("docker") is None:
        return False
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        result = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0


def is_ours() -> bool:
    """Whether the running engine was started by us, hence is ours to end."""
    return _live_pid(_pid_file(), "dockerd") is not None


def stop() -> bool:
    """End the engine if we started it; says whether it did.

    Raises:
        TimedOut: it was asked to end and is still there a minute later.
    """
    pid = _live_pid(_pid_file(), "dockerd")
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + START_SECONDS
    while _live_pid(_pid_file(), "dockerd") is not None:
        if time.monotonic() > deadline:
            raise TimedOut(f"the Docker engine (process {pid}) was told to end, and has not")
        time.sleep(0.2)
    return True


def bounding_set_lacks(capability: int, status: str) -> bool:
    """Whether a capability's bit is off in CapBnd of a /proc/PID/status text."""
    for line in status.splitlines():
        if line.startswith("CapBnd:"):
            return not int(line.split()[1], 16) >> capability & 1
    return False


def _install(shell: Shell) -> None:
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ("apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300")
    shell.run(*apt, "update", env=quiet)
    # Recommended packages would bring AppArmor and git along. A policy of 101 keeps the package
    # from starting an engine of its own, without our runtime.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        cache.write(policy, "#!/bin/sh\nexit 101\n", mode=0o755)
    try:
        shell.run(*apt, "install", "--no-install-recommends", *PACKAGES, env=quiet)
    finally:
        if ours:
            policy.unlink()


def _start(shell: Shell) -> None:
    home = cache.folder("engine")
    for file, program in ((_pid_file(), "dockerd"), (CONTAINERD_PID, "containerd")):
        # A killed engine leaves its pid behind; once another process has that pid, the next
        # engine believes itself running, or waits for a containerd that is none.
        if _live_pid(file, program) is None:
            file.unlink(missing_ok=True)
    arguments = ["--pidfile", str(_pid_file())]
    if bounding_set_lacks(CAP_SYS_RESOURCE, Path("/proc/self/status").read_text()):
        # -I -S: the interpreter starts twice as fast, and this runs for every exec in a node.
        code = Path(bounded_runc.__file__).read_text()
        wrapper = cache.write(home / "runc", f"#!{sys.executable} -IS\n{code}", mode=0o755)
        arguments += ["--add-runtime", f"bounded={wrapper}", "--default-runtime", "bounded"]
    log = home / "dockerd.log"
    shell.note(f"the engine's own log: {log}")
    with log.open("ab") as output:
        # Nothing of the caller's stays open in it: a pipe held by the engine would make whoever
        # reads our output wait for ever.
        process = subprocess.Popen(
            ["dockerd", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
        )
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            for line in tail(log, 30):
                shell.note(line)
            raise TimedOut("dockerd did not come up")
        time.sleep(0.3)


def _pid_file() -> Path:
    return cache.root() / "engine" / "dockerd.pid"


def _live_pid(file: Path, program: str) -> int | None:
    """The pid in a file, if that process lives and is the program that wrote it."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(file.read_text())
        stat = Path(f"/proc/{pid}/stat").read_text()
        # "PID (name) state ...": a zombie is as good as gone.
        name, state = stat.split("(", 1)[1].rsplit(")", 1)
        if name == program and state.split()[0] != "Z":
            return pid
    return None
