"""The variables there are: name, default, meaning. `settings.py` reads them, the reference page prints them."""

import msgspec


class Variable(msgspec.Struct, frozen=True):
    name: str
    default: str
    meaning: str
    secret: bool = False


VARIABLES = (
    Variable("DATABASE_URL", "", "Postgres 16 or newer: postgresql://user:password@host:5432/name.", secret=True),
    Variable(
        "PG_SSLMODE",
        "",
        "disable, require, verify-ca, verify-full; unset: disable on loopback, else verify-full.",
    ),
    Variable("PG_CA_CERT", "", "The CA of Postgres, as PEM text or a path; unset: the system's."),
    Variable("KAFKA_BROKERS", "", "host:port,host:port; unset: the stream is a log in Postgres."),
    Variable(
        "KAFKA_SECURITY_PROTOCOL",
        "",
        "PLAINTEXT, SSL or SASL_SSL; unset: SASL_SSL with a user name, else PLAINTEXT.",
    ),
    Variable("KAFKA_SASL_USERNAME", "", "User name at the brokers."),
    Variable("KAFKA_SASL_PASSWORD", "", "Password at the brokers.", secret=True),
    Variable("KAFKA_SASL_MECHANISM", "SCRAM-SHA-256", "SCRAM-SHA-256, SCRAM-SHA-512 or PLAIN."),
    Variable("KAFKA_CA_CERT", "", "The CA of the brokers, as PEM text or a path; unset: the system's."),
    Variable("OPENSEARCH_URL", "", "https://host:9200; unset: search is Postgres full text."),
    Variable("OPENSEARCH_USER", "", "User name at OpenSearch."),
    Variable("OPENSEARCH_PASS", "", "Password at OpenSearch.", secret=True),
    Variable("OPENSEARCH_CA_CERT", "", "The CA of OpenSearch, as PEM text or a path; unset: the system's."),
    Variable("GRADIENT_BASE_URL", "", "An OpenAI-compatible server, …/v1; unset: plain summaries, no model."),
    Variable("GRADIENT_API_KEY", "", "Key at the model's server.", secret=True),
    Variable("GRADIENT_MODEL", "", "Name of the model."),
    Variable("MODEL_DEADLINE_SECONDS", "25", "How long one answer of the model may take, at most 90."),
    Variable("MODEL_TOKENS_PER_DAY", "1000000", "Tokens a project may use a UTC day, unless it has its own limit."),
    Variable("MODEL_INPUT_PRICE", "0", "What a million tokens sent cost, in any currency; 0: unknown."),
    Variable("MODEL_OUTPUT_PRICE", "0", "What a million tokens answered cost, in the same currency; 0: unknown."),
    Variable("AI_JOBS_PER_CALL", "1", "AI jobs one wake-up of the worker may take."),
    Variable("S3_ENDPOINT_URL", "", "S3-compatible storage; unset: AWS itself."),
    Variable("S3_REGION", "us-east-1", "Region of the bucket."),
    Variable("S3_BUCKET", "", "Bucket of the archive; unset: nothing is archived."),
    Variable("S3_PREFIX", "", "Prefix of every object's name."),
    Variable("S3_ACCESS_KEY", "", "Access key of the storage.", secret=True),
    Variable("S3_SECRET_KEY", "", "Secret key of the storage.", secret=True),
    Variable("INTERNAL_KEY", "", "Shared by our own callers, stations and clock; may hold new,old.", secret=True),
    Variable("METRICS_TOKEN", "", "Bearer token that reads /metrics; unset: closed.", secret=True),
    Variable(
        "PUBLIC_URL",
        "",
        "Where people reach the dashboard; with https: its cookies go over TLS only, even if no proxy says so.",
    ),
    Variable("INGEST_API_URL", "", "Where ingest answers; the dashboard's Setup page shows how to send there."),
    Variable("CORS_ORIGINS", "", "Origins whose pages may call core_api: https://a.example,https://b.example."),
    Variable("LOG_LEVEL", "info", "debug, info, warn or error."),
    Variable("ENVIRONMENTS", "prod,staging,dev", "The environments an event may name."),
    Variable("MAX_EVENT_BYTES", "65536", "The largest event ingest takes."),
    Variable("MAX_BATCH_EVENTS", "1000", "The most events of one request."),
    Variable("MAX_BODY_BYTES", "1048576", "The largest body of one request, inflated."),
    Variable("STREAM_PARTITIONS", "12", "Partitions of signals.raw.v1; read when the topic is made."),
    Variable("POISON_TRIES", "10", "Tries after which a record that crashes its station stops its partition."),
    Variable(
        "POLLER_STATIONS", "", "What the poller feeds: indexer=http://host:port,incident_engine=https://host/path."
    ),
    Variable("POLLER_SCHEDULES", "", "Clock jobs: here (in the poller), or tick=http://…; unset: another clock."),
    Variable("POLLER_PORT", "8090", "Where the poller answers /health, /lag and /metrics; 0: nowhere."),
    Variable("POLLER_HOST", "127.0.0.1", "Its address; off loopback all but /health want METRICS_TOKEN."),
    Variable("POLLER_MAX_RECORDS", "", "Records a request; unset: 1000, for the archiver 10000, for the AI worker 1."),
    Variable("POLLER_MAX_BYTES", "", "Bytes of a request's body; unset: 950000, for the archiver 5000000."),
    Variable("POLLER_TIMEOUT_SECONDS", "", "How long an answer may take; unset: 30, archiver 60, AI worker 120."),
    Variable("SERVER_HOST", "127.0.0.1", "Where `python -m local.server` lets ingest, API and dashboard listen."),
    Variable("SERVER_PORT", "3000", "Where ingest listens then; the API is one further, the dashboard two."),
    Variable("CLOCK_OFFSET_SECONDS", "0", "Moves the clock; for local stacks only."),
    Variable("KEEP_STREAM", "7d", "Raw stream; never less than the slowest station's lag."),
    Variable("KEEP_EVENTS", "30d", "Events in search, by received_at."),
    Variable("KEEP_BUCKETS", "90d", "Minute buckets."),
    Variable("KEEP_IDS", "7d", "Remembered ids of events that callers named themselves."),
    Variable("KEEP_DEAD", "30d", "Dead letters."),
)

# Each secret may lie in a file instead, which may change while a process runs: NAME_FILE says where.
FILES = tuple(Variable(f"{one.name}_FILE", "", f"The file that holds {one.name}.") for one in VARIABLES if one.secret)

# Other people's names for the same thing.
ALSO_UNDERSTOOD = {
    "KAFKA_USERNAME": "KAFKA_SASL_USERNAME",
    "KAFKA_PASSWORD": "KAFKA_SASL_PASSWORD",
    "SPACES_ACCESS_KEY": "S3_ACCESS_KEY",
    "SPACES_SECRET_KEY": "S3_SECRET_KEY",
}

# What begins like this is meant for us, so a name we do not know is a mistake worth stopping for.
FAMILIES = ("GRADIENT_", "KAFKA_", "KEEP_", "OPENSEARCH_", "PG_", "POLLER_", "S3_", "SPACES_", "STREAM_")
