"""A day of the bank's customers, played against the whole demo: `make load`, told in docs/performance.md."""
