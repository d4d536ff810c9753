"""Whether a process of this machine is gone, held against real ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from store import home
from store.home import Home, here, is_gone

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="told by Linux only")


def a_child() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


def test_this_process_knows_where_it_lives() -> None:
    me = here()

    assert me.pid == os.getpid()
    assert me.started > 0
    assert me.sees(here().space)
    assert not is_gone(me.pid, me.started)


def test_a_process_that_ended_is_gone() -> None:
    child = a_child()
    started = home._started(child.pid)
    assert not is_gone(child.pid, started)

    child.communicate(b"\n")

    assert is_gone(child.pid, started)


def test_a_process_that_only_waits_to_be_reaped_is_gone() -> None:
    child = a_child()
    started = home._started(child.pid)
    assert child.stdin is not None
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert is_gone(child.pid, started)
    child.wait()


def test_a_pid_with_another_start_is_another_process() -> None:
    assert is_gone(os.getpid(), here().started - 1)


def test_a_process_of_somebody_else_is_there() -> None:
    """The first process is root's; where we are root, it is ours, and there as well."""
    assert not is_gone(1, 0)


def test_what_a_machine_does_not_tell_is_not_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(home, "_PROC", tmp_path)
    me = here()

    assert (me.space, me.started) == ("", 0)
    assert not me.sees("")
    assert not is_gone(os.getpid(), 12345)


def test_pids_count_in_their_own_boot_and_namespace_only() -> None:
    me = Home("one", "boot-1 pid:[1]", 7, 1)

    assert me.sees("boot-1 pid:[1]")
    assert not me.sees("boot-2 pid:[1]")
    assert not me.sees("boot-1 pid:[2]")
