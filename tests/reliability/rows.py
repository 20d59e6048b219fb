"""The rows: the modules of this package that have ``PROMISE``, ``measure(scale)`` and ``broken(figures)``."""

ROWS = (
    "load",
    "overload",
    "body_and_headers",
    "deadlines",
    "slow_clients",
    "malformed",
    "documents",
    "corrupt",
    "reload",
    "shutdown_and_crash",
    "soak",
    "sameness",
    "keys",
    "rate",
    "privacy",
    "no_pickle",
    "supply",
)
