"""The worker of the REST processes: `--worker-class api.server.worker.Worker`.

As `serving.worker`, and what is refused without the application is a problem (RFC 9457) like everything that is
refused. An answer given before the request's body was read says
`Connection: close` unless the rest is small and on its way.

Nothing of ours that uses locks or sockets may be imported here at the top, before they are patched.
"""

from typing import Any

from api.server.unread_bodies import settling_bodies
from serving.worker import FairWorker, Refusals
from settings.loading import load_settings


class Worker(FairWorker):
    """Serves REST."""

    ahead = "api.app"

    def init_process(self) -> None:
        """Read how long a request may take to arrive, and how many connections there may be."""
        web = load_settings().web
        self.arrival_seconds = web.body_deadline_ms / 1000
        self.most_connections = web.connections
        self.most_of_address = web.connections_of_address
        super().init_process()

    def refusals(self) -> Refusals:
        """Problems."""
        from api.server import raw_answers  # noqa: PLC0415 - it brings Flask along

        return raw_answers

    def load_wsgi(self) -> None:
        """Load the application, and settle what becomes of bodies that it does not read."""
        super().load_wsgi()
        self.wsgi: Any = settling_bodies(self.wsgi)
