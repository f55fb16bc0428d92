"""Embedded stand-ins: images that need no network and look like a data set without being it."""
