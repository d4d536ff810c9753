"""node's smpp, installed into a folder for a test.

install   the library and our scripts of tests/peers/node; "" or why it could not be
node      a script of them, running
"""

import os
import shutil
import subprocess
from pathlib import Path

from tests.peers.programs import Program, which

HERE = Path(__file__).parent / "node"
INSTALL_S = 60


def install(folder: Path) -> str:
    """Install the library into a folder; "" or why it could not be."""
    npm = which("npm")
    if not which("node") or not npm:
        return "node and npm are not installed (apt-get install nodejs npm)"
    for name in ("package.json", "package-lock.json", "centre.js", "esme.js"):
        shutil.copy(HERE / name, folder / name)
    command = [npm, "ci", "--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts", "--loglevel=error"]
    command += ["--fetch-retries=1", "--fetch-timeout=10000", f"--cache={folder}/cache"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        return f"npm did not install smpp within {INSTALL_S} s"
    said = (done.stderr or done.stdout).strip().splitlines()
    return "" if done.returncode == 0 else f"npm cannot install smpp: {said[0] if said else done.returncode}"


def node(folder: Path, *command: str) -> Program:
    """Run a script with its arguments."""
    environ = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder)}
    return Program([which("node"), *command], folder, environ=environ)
