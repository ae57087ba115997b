"""Start a standalone Spark cluster on loopback, to try the engine with: ``python deploy/spark_cluster.py --workers 2``.

Prints the master's address and the process ids of the workers as one line of JSON, and ends with Ctrl-C or when its
standard input is closed. For real work, use the cluster that you have: docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyspark

from opsmetrics.core.settings import environment
from opsmetrics.warehouse.spark import java_home

HERE = "127.0.0.1"
# Ends a start that hangs; a busy machine may take minutes.
PATIENCE_SECONDS = 900


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind((HERE, 0))
        return sock.getsockname()[1]


def launch(role: str, *words: str) -> subprocess.Popen[bytes]:
    """Start a process of the cluster in a group of its own, so that its children end with it."""
    command = [str(Path(pyspark.__file__).parent / "bin" / "spark-class"), f"org.apache.spark.deploy.{role}", *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until somebody listens on a port.

    Raises:
        RuntimeError: The process ended, or nobody listened in time.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex((HERE, port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"Spark's master does not listen on {HERE}:{port}; the log above says why")


def main() -> None:
    """Run the cluster until it is told to end."""
    parser = argparse.ArgumentParser(description="a standalone Spark cluster on loopback")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cores", type=int, default=1, help="of each worker")
    parser.add_argument("--memory", default="1g", help="of each worker")
    options = parser.parse_args()
    port = free_port()
    processes: list[subprocess.Popen[bytes]] = []
    scratch = tempfile.TemporaryDirectory(prefix="spark-cluster-")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with scratch, environment({"JAVA_HOME": str(java_home()), "SPARK_LOCAL_IP": HERE}):
        try:
            master = launch("master.Master", "--host", HERE, "--port", str(port), "--webui-port", str(free_port()))
            processes.append(master)
            await_port(port, master)
            limits = ["--cores", str(options.cores), "--memory", options.memory, "--work-dir", scratch.name]
            for _ in range(options.workers):
                words = ["--host", HERE, "--webui-port", str(free_port()), *limits, f"spark://{HERE}:{port}"]
                processes.append(launch("worker.Worker", *words))
            told = {"master": f"spark://{HERE}:{port}", "workers": [worker.pid for worker in processes[1:]]}
            print(json.dumps(told), flush=True)  # noqa: T201
            sys.stdin.read()
        except KeyboardInterrupt:
            pass
        finally:
            for process in reversed(processes):
                end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
    except ProcessLookupError:
        pass
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


if __name__ == "__main__":
    main()
