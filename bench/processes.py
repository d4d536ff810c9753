"""The processes of a measurement: started, read, gone at the end.

Piped      ours that end with their standard input: the load and the partner; a line in, lines out
Usage      CPU of processes, user and system;  usage_of, usage_of_all
resident   their memory
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tollbridge.memory import sizes_of

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
END_S = 10


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of CPU."""

    user_s: float = 0.0
    system_s: float = 0.0

    @property
    def cpu_s(self) -> float:
        """Both."""
        return self.user_s + self.system_s

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.user_s + other.user_s, self.system_s + other.system_s)

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(self.user_s - other.user_s, self.system_s - other.system_s)


def usage_of(*pids: int) -> Usage:
    """What these processes have used since they began (proc(5), /proc/PID/stat, fields 14 and 15)."""
    sum_ = Usage()
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        sum_ += Usage(int(fields[11]) * _TICK_S, int(fields[12]) * _TICK_S)
    return sum_


def usage_of_all() -> Usage:
    """What everything on this machine has used since it started (proc(5), /proc/stat: user, nice; the rest)."""
    user, nice, system, _, _, irq, softirq = (int(one) for one in Path("/proc/stat").read_text().split()[1:8])
    return Usage((user + nice) * _TICK_S, (system + irq + softirq) * _TICK_S)


def resident(pid: int, key: str = "VmRSS") -> int:
    """Octets of memory of a process now; with VmHWM, the most that it ever had."""
    return sizes_of(Path(f"/proc/{pid}/status").read_text())[key]


class Piped:
    """A module of ours as a process that ends with its standard input."""

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._module = module
        self.port = self._port()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, values: Mapping[str, Any], say: Callable[[str], None]) -> Mapping[str, Any]:
        """A line to it; its answer. Progress goes to `say`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(values) + "\n")
        self._process.stdin.flush()
        while True:
            answer = json.loads(self._line())
            if "progress" not in answer:
                assert isinstance(answer, dict), answer
                return answer
            say(answer["progress"])

    def end(self) -> None:
        """Close its input and wait."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _port(self) -> int:
        answer = json.loads(self._line())
        return int(answer["port"] if isinstance(answer, dict) else answer)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._module} ended with {self._process.wait()}; its error stands above")
        return line


@contextmanager
def piped(module: str) -> Iterator[Piped]:
    """One for the time of a block."""
    process = Piped(module)
    try:
        yield process
    finally:
        process.end()
