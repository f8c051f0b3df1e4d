"""Figures of the README and of release notes: run `python -m benchmarks.NAME` from the checkout."""
