"""The one exception that a user is meant to read."""

__all__ = ["UserError"]


class UserError(Exception):
    """Something that the user can mend: one line with what, where, expected, got and what to do."""
