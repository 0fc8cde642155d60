"""Every metric there is, named once: what it means, who counts it, and how it is told apart."""

from __future__ import annotations

from common.metrics.kinds import OPEN, Counter, Gauge, Histogram, Metric

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
PATIENT = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)

INGEST, ENGINE, WORKER, POLLER = ("ingest",), ("incident_engine",), ("ai_worker",), ("poller",)
PUBLIC = ("ingest", "core_api", "dashboard")
STATIONS = ("indexer", "incident_engine", "ai_worker", "archiver")
CLOCK = ("poller", "watch_silence", "resolve_stale", "sweep_jobs", "prune", "tick")
OF_INCIDENTS = ("incident_engine", "core_api", "dashboard", *CLOCK)
RULES = ("error_spike", "signup_drop")

BUILD = Gauge(
    "signals_build_info", "Always 1; the version of this part.", (*PUBLIC, *STATIONS, *CLOCK), {"version": OPEN}
)

# ---- a function's work, whatever it is

REQUESTS = Counter(
    "signals_requests_total",
    "Requests a function answered, batches and ticks among them, by HTTP status.",
    (*PUBLIC, *STATIONS, *CLOCK),
    {"function": OPEN, "status": OPEN},
)
REQUEST_SECONDS = Histogram(
    "signals_request_seconds",
    "From a request's arrival to its answer.",
    (*PUBLIC, *STATIONS, *CLOCK),
    {"function": OPEN},
    bounds=QUICK,
)
BATCH_SECONDS = Histogram(
    "signals_batch_seconds",
    "What a station takes for a batch of records, failures included.",
    STATIONS,
    {"station": OPEN},
    bounds=QUICK,
)
BATCH_RECORDS = Counter(
    "signals_batch_records_total",
    "Records of the batches a station took, redelivered ones too.",
    STATIONS,
    {"station": OPEN},
)

# ---- into the stream

ACCEPTED = Counter(
    "signals_events_accepted_total", "Events that were answered 202: the stream has them for good.", INGEST
)
REFUSED = Counter(
    "signals_events_refused_total",
    "What ingest did not take, by the code its caller was told: one for each event, one for a request refused whole.",
    INGEST,
    {"reason": OPEN},
)
PUBLISHED = Counter(
    "signals_records_published_total",
    "Records the stream has taken for good.",
    (*INGEST, *STATIONS, *CLOCK, "core_api"),
    {"topic": OPEN},
)
DEAD_LETTERS = Counter(
    "signals_dead_letters_total",
    "Records buried on signals.dlq.v1; one that comes again is buried again, as the same letter.",
    (*STATIONS, *POLLER),
    {"station": OPEN, "reason": OPEN},
)

# ---- counting, rules, incidents

COUNTED = Counter("signals_events_counted_total", "Events counted by the engine, each once, after the commit.", ENGINE)
DUPLICATES = Counter(
    "signals_duplicates_dropped_total",
    "Records that were counted before: `redelivered` by the stream, or `repeated` by a caller under the same event id.",
    ENGINE,
    {"why": ("redelivered", "repeated")},
)
PASSED_OVER = Counter(
    "signals_offsets_passed_over_total", "Offsets that never came: retention or a person has removed them.", ENGINE
)
EVALUATIONS = Counter(
    "signals_rule_evaluations_total", "Windows a rule was asked about.", (*ENGINE, *CLOCK), {"rule": RULES}
)
OPENED = Counter("signals_incidents_opened_total", "Incidents opened, by rule.", OF_INCIDENTS, {"rule": RULES})
RESOLVED = Counter(
    "signals_incidents_resolved_total",
    "Incidents resolved: by the engine or the clock when time had passed, or by a person.",
    OF_INCIDENTS,
    {"by": ("engine", "clock", "person")},
)
DETECTION = Histogram(
    "signals_detection_seconds",
    "From ingest's receiving the event that opened an incident to the commit that opened it.",
    ENGINE,
    bounds=PATIENT,
)
LEFT_OUT = Counter(
    "signals_series_left_out_total",
    "Series a clock job did not judge, because their partition is not counted to its end.",
    CLOCK,
    {"looking_for": ("silent", "stale")},
)
CLOCK_RUNS = Counter(
    "signals_clock_runs_total", "Runs of clock jobs.", CLOCK, {"schedule": OPEN, "outcome": ("done", "failed")}
)

# ---- summaries

ATTEMPTS = Counter(
    "signals_ai_attempts_total",
    "Attempts of AI jobs: `done`, `plain` (a summary without a model), `failed`, `later` (the day's tokens are "
    "used up), or `lost` (another worker had the lease).",
    WORKER,
    {"outcome": ("done", "plain", "failed", "later", "lost")},
)
FAILURES = Counter(
    "signals_ai_failures_total", "Failed attempts, by the code of their reason.", WORKER, {"reason": OPEN}
)
EVIDENCE = Counter(
    "signals_ai_evidence_total",
    "Statements of models' evidence, checked against our own facts: `verified`, or `dropped`.",
    WORKER,
    {"verdict": ("verified", "dropped")},
)

# ---- the poller

DELIVERIES = Counter(
    "signals_deliveries_total",
    "What became of the requests the poller sent to stations, and of its burials.",
    POLLER,
    {"station": OPEN, "outcome": ("taken", "waits", "broken", "too_large", "buried", "unburied")},
)
LAG = Gauge(
    "signals_lag_records",
    "Records a station has not answered yet, in this poller's partitions.",
    POLLER,
    {"station": OPEN},
)
LAG_SECONDS = Gauge(
    "signals_lag_seconds",
    "Age of the oldest record that was read for a station and is not answered.",
    POLLER,
    {"station": OPEN},
)
STOPPED = Gauge("signals_partitions_stopped", "Partitions that one record has stopped.", POLLER, {"station": OPEN})
AWAY = Gauge("signals_station_away", "1 while a station, or the stream, is waited for.", POLLER, {"station": OPEN})
DEAD_KEPT = Gauge("signals_dead_letters_kept", "Records on signals.dlq.v1.", POLLER)
JOBS = Gauge("signals_ai_jobs", "AI jobs that wait or run.", POLLER, {"status": ("queued", "running")})
JOB_AGE = Gauge(
    "signals_ai_job_age_seconds", "How long the AI job that waits longest has been due; 0: none is.", POLLER
)

ALL: tuple[Metric, ...] = tuple(one for one in list(globals().values()) if isinstance(one, Metric))
COUNTERS: tuple[Counter, ...] = tuple(one for one in ALL if isinstance(one, Counter))
HISTOGRAMS: tuple[Histogram, ...] = tuple(one for one in ALL if isinstance(one, Histogram))
