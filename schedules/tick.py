"""Every minute, for platforms with few clocks: all jobs, each after the other's failure."""

from common import edge
from schedules import prune, resolve_stale, sweep_jobs, watch_silence

asgi, gcp, aws, main = edge.clock(watch_silence.run, resolve_stale.run, sweep_jobs.run, prune.run)
