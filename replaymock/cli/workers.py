"""`replay --workers N`: several processes on one port, each with an app of its own."""

from msgspec.structs import replace

from replaymock.app import App, describe
from replaymock.config.settings import Settings
from replaymock.server.listener import allow_open_files
from replaymock.server.prefork.supervisor import Supervisor, SupervisorOptions
from replaymock.telemetry.console import Console
from replaymock.telemetry.events import Emit


def serve(settings: Settings, console: Console) -> int:
    """Serves by several workers to the end; the exit code. UsageError when it cannot start or go on."""
    # The parent has the ready file, as a run is ready when all of its workers are.
    of_worker = replace(settings, ready_file="")

    def make_app(emit: Emit) -> App:
        return App(of_worker, emit, wants_requests=console.wants_requests)

    allow_open_files()
    options = SupervisorOptions(describe(settings), settings.port, settings.fail_on_miss)
    return Supervisor(make_app, options, console).run()
