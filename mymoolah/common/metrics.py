"""What is counted, for Prometheus. Labels are templates, codes and names that stand in our own code: few, and nobody's."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

disable_created_metrics()  # when each label was first seen: of no use, and once more as many lines

# Every metric has labels, so none of its values is made before `metrics_folder.share` says where they are kept.
REGISTRY: Final = CollectorRegistry()

REQUESTS: Final = Counter(
    "mymoolah_http_requests", "Requests answered", ["route", "method", "status"], registry=REGISTRY
)
REQUEST_SECONDS: Final = Histogram(
    "mymoolah_http_request_duration_seconds",
    "From a request's arrival to where its answer begins",
    ["route", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
REQUEST_QUERIES: Final = Histogram(
    "mymoolah_http_request_queries",
    "Statements that a request sent to the database",
    ["route"],
    buckets=(0, 1, 2, 4, 8, 16, 32, 64),
    registry=REGISTRY,
)
DATABASE_SECONDS: Final = Counter(
    "mymoolah_http_database_seconds", "Time that requests waited for their statements", ["route"], registry=REGISTRY
)
PROBLEMS: Final = Counter("mymoolah_problems", "Problems answered, by their code", ["route", "code"], registry=REGISTRY)
PAYMENTS: Final = Counter(
    "mymoolah_payments",
    "Orders to pay: `posted`, `replayed`, or the code of the problem that was answered",
    ["route", "outcome"],
    registry=REGISTRY,
)
REPLAYS: Final = Counter(
    "mymoolah_idempotent_replays", "Repeats that got the first answer again", ["route"], registry=REGISTRY
)
CONFLICTS: Final = Counter(
    "mymoolah_transaction_retries", "Database transactions that had to be tried again", ["reason"], registry=REGISTRY
)
RATE_LIMITED: Final = Counter(
    "mymoolah_rate_limited", "Requests beyond a rate limit, by its group", ["group"], registry=REGISTRY
)
TASKS_SENT: Final = Counter("mymoolah_tasks_sent", "Tasks put into the queue", ["task"], registry=REGISTRY)
TASKS: Final = Counter("mymoolah_tasks", "Tasks that have ended", ["task", "outcome"], registry=REGISTRY)
TASK_SECONDS: Final = Histogram(
    "mymoolah_task_duration_seconds",
    "How long a task took",
    ["task"],
    buckets=(0.01, 0.1, 1, 10, 60, 300, 3600),
    registry=REGISTRY,
)
READ_CACHE: Final = Counter(
    "mymoolah_read_cache",
    "Answers to customers, by how they came about: `hit`; `miss`, of which some waited for another's `computation`; "
    "`bypass`: the cache was not asked; `error`: it did not answer, or was full",
    ["family", "outcome"],
    registry=REGISTRY,
)
READ_CACHE_BUMPS: Final = Counter(
    "mymoolah_read_cache_invalidations",
    "Tags whose answers are good no more: `done`, or `failed`, and the cache was closed for everybody",
    ["outcome"],
    registry=REGISTRY,
)
# One that waits for an optional stranger, within its limit of time (reporting/support/language_model.py).
MODEL_ANSWERS: Final = Counter(
    "mymoolah_model_answers",
    "What the language model was wanted for: `used`, or why its answer was not, or why it was not asked",
    ["purpose", "outcome"],
    registry=REGISTRY,
)
MODEL_SECONDS: Final = Histogram(
    "mymoolah_model_duration_seconds",
    "How long the language model was waited for",
    ["purpose"],
    buckets=(0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5),
    registry=REGISTRY,
)
SUPPORT_MESSAGES: Final = Counter(
    "mymoolah_support_messages",
    "Questions of customers to the support assistant, by what it took them to mean; `clarified` where it asked which",
    ["intent", "outcome"],
    registry=REGISTRY,
)
SUPPORT_CONFIDENCE: Final = Histogram(
    "mymoolah_support_confidence",
    "How sure the support assistant was of a question, from 0 to 1",
    ["outcome"],
    buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1),
    registry=REGISTRY,
)
SUPPORT_TICKETS: Final = Counter(
    "mymoolah_support_tickets_opened", "Support tickets that were opened", ["intent"], registry=REGISTRY
)
SUPPORT_VOTES: Final = Counter(
    "mymoolah_support_votes",
    "What customers said of an answer: `yes`, it helped, or `no`",
    ["intent", "helpful"],
    registry=REGISTRY,
)
