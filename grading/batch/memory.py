"""How much memory this process holds, and how much it may."""

from pathlib import Path

_BYTES_PER_GB = 10**9


def limit_memory(gigabytes: float) -> None:
    """Let the kernel refuse this process more data than that (Linux; elsewhere nothing happens).

    Data is counted rather than address space: libraries reserve far more addresses than they ever use.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    limit = int(gigabytes * _BYTES_PER_GB)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def reset_peak_memory() -> None:
    """Start the kernel's peak-memory count anew, where it can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_memory_mb() -> float | None:
    """Most memory this process held since the last reset, MB; None where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return None
