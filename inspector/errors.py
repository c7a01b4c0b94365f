"""The root of every error that Inspector raises on purpose.

Each package has an ``errors`` module with one class per cause; all derive from
:class:`InspectorError`. The command line turns them into one line and exit code 1; anything else
is a bug and keeps its traceback.
"""

from __future__ import annotations


class InspectorError(Exception):
    """Something the user can mend: the message names the value, the limit and what to do."""
