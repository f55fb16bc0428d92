"""The configurations that stages read: checked, frozen objects."""
