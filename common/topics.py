"""The three topics and the four groups that read them; other people's tools rely on these names."""

RAW = "signals.raw.v1"
AI_JOBS = "signals.ai.jobs.v1"
DLQ = "signals.dlq.v1"
TOPICS = (RAW, AI_JOBS, DLQ)

INDEXER = "indexer-group"
INCIDENT_ENGINE = "incident-engine-group"
AI_WORKER = "ai-worker-group"
ARCHIVER = "archiver-group"
