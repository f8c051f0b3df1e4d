"""Lists in a message, cut where they grow too long to read."""

from collections.abc import Sequence


def listed(names: Sequence[str], most: int) -> str:
    """The first `most` of the names, and how many more there are: "a, b and 3 more"."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
