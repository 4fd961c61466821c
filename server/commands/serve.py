"""`zhubo serve`: the server, on a loopback address unless a key is set."""

import argparse
import gc
import logging
import socket
import sys
from typing import TYPE_CHECKING

from configs.engines import ConfigError
from configs.home import current
from configs.settings import ServerSettings, overlaid
from server.commands.config import effective
from server.commands.options import settings_from, with_settings

if TYPE_CHECKING:
    import uvicorn

    from server.assemble import Service


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("serve", help="start the presenter")
    with_settings(parser)
    parser.add_argument("--host", help="address to listen on (default: as configured, 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default: as configured, 8000; 0 takes a free one)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from agent.privacy import Masked
    from server.assemble import Service
    from server.wyoming import listening_on

    settings = settings_from(arguments)
    given = {name: value for name in ("host", "port") if (value := getattr(arguments, name)) is not None}
    settings = overlaid(settings, {"server": given}, "command line")
    effective(settings)
    listener = _listen(settings.server)
    try:
        wyoming = listening_on(settings.wyoming)
    except ConfigError:
        listener.close()
        raise
    host, port = listener.getsockname()[:2]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(Masked())
    service = Service(settings, current())
    sys.stdout.write(f"Zhubo: http://{host}:{port}  (profile {settings.profile}, state in {service.home.data})\n")
    if wyoming is not None:
        host, port = wyoming.getsockname()[:2]
        sys.stdout.write(f"Wyoming: tcp://{host}:{port}\n")
    sys.stdout.flush()
    uvicorn_server = server_of(service, wyoming)
    uvicorn_server.run(sockets=[listener])
    if service.failed is not None:
        raise ConfigError(service.failed)
    return 0


def server_of(service: "Service", wyoming: socket.socket | None) -> "uvicorn.Server":
    import uvicorn

    from server.app import create_app
    from server.frames import sized
    from server.realtime import MESSAGE_BYTES, PATH

    def stop() -> None:
        server.should_exit = True

    config = uvicorn.Config(
        create_app(service, stop, wyoming, _settle),
        ws=sized({PATH: MESSAGE_BYTES}),
        ws_per_message_deflate=False,
        ws_max_size=service.settings.server.message_bytes,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    return server


def _settle() -> None:
    """What was loaded stays: to look through its 400,000 objects for garbage again and again holds up the loop for a
    tenth of a second each time, and would now: Wyoming clients wait for a second."""
    gc.freeze()


def _listen(server: ServerSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((server.host, server.port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"cannot listen on {server.host}:{server.port} ({error.strerror}); choose another with --port"
        ) from error
    return listener
