"""The stand-in for Glue of the tests, which also counts: writes the name of each call to the file $GLUE_CALLS, and answers $GLUE_WAIT milliseconds later
than it could, as a service does that is not on this machine. Takes the arguments of `moto_server`; called by glue.sh."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "stack"))

import glue  # noqa: E402
from moto.glue.responses import GlueResponse  # noqa: E402
from moto.server import main  # noqa: E402

WAIT = float(os.environ.get("GLUE_WAIT", "0")) / 1000
CALLS = os.open(os.environ["GLUE_CALLS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def counted(name, operation):
    """The operation, slower and with a line of its own in the file."""
    title = "".join(word.capitalize() for word in name.split("_"))

    def call(self):
        # One write a line: calls are answered side by side.
        os.write(CALLS, f"{title}\n".encode())
        time.sleep(WAIT)
        return operation(self)

    return call


glue.extend()
for each in list(vars(GlueResponse)):
    if each.startswith(("get_", "create_", "update_", "delete_", "batch_")):
        setattr(GlueResponse, each, counted(each, getattr(GlueResponse, each)))
main()
