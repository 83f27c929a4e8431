"""The worker of the Socket.IO processes: `--worker-class live.worker.Worker`.

Nothing of ours that uses locks or sockets may be imported here at the top, before they are patched.
"""

from serving.worker import FairWorker, Refusals
from settings.loading import load_settings


class Worker(FairWorker):
    """Serves WebSockets."""

    ahead = "live.app"

    def init_process(self) -> None:
        """Read how many connections there may be."""
        live = load_settings().live
        self.most_connections = live.connections
        self.most_of_address = live.connections_of_address
        super().init_process()

    def refusals(self) -> Refusals:
        """Problems."""
        from live import http_problems  # noqa: PLC0415 - as said above

        return http_problems
