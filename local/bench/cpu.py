"""Processor time: a process with all its threads, and those it has started."""

import psutil


def used(pid: int | None = None) -> float:
    """Seconds, of this process if none is named, and of its children that live now."""
    root = psutil.Process(pid)
    times = [one.cpu_times() for one in [root, *root.children(recursive=True)]]
    return float(sum(one.user + one.system for one in times))
