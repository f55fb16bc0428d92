"""What a user can mend, said in one line."""

__all__ = ["RunnerError"]


class RunnerError(Exception):
    """A user's mistake, or a state that a user has to mend: what, where, expected, got, what to do."""
