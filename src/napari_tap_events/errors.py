"""The few things that can go wrong, each with a sentence that says what to do next.

Every error that a user can cause is a `TapEventsError`; the command line prints its message and exits with code 2, the window
shows it in place. A message says what is wrong, what arrived, and what to do next.
"""

from __future__ import annotations


class TapEventsError(Exception):
    """Something the user can put right; the message says how."""


class MovieError(TapEventsError):
    """A movie cannot be read, or its axes are not known."""


class MaskError(TapEventsError):
    """An event mask or event table does not fit its movie."""


class ScopeError(TapEventsError):
    """The annotated scope leaves too little to learn from or to judge by."""


class ModelError(TapEventsError):
    """A model folder is missing, damaged, too new, or made for other data."""


class SettingsError(TapEventsError):
    """A setting has a value that it cannot have."""


class OutputError(TapEventsError):
    """The output folder is in the way, read-only or full."""


class ProjectError(TapEventsError):
    """A project folder is damaged, too new, or does not hold what is asked of it."""


class JobStopped(TapEventsError):
    """The user stopped a job; the message says how to go on with it."""
