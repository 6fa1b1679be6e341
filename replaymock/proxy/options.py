"""The backends and the way to them, as a user chose them: values that `config` makes and `upstreams` reads."""

from msgspec import Struct

from replaymock.proxy.routes import Upstream


class TlsOptions(Struct, frozen=True):
    """Whom to trust, and as whom to come: paths of PEM files, empty where none is given."""

    verify: bool = True
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""


class UpstreamOptions(Struct, frozen=True):
    """The backends, and how they are reached. Timeouts are in seconds; `proxy` is a URL, empty for the direct way."""

    upstreams: tuple[Upstream, ...] = ()
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    proxy: str = ""
    http2: bool = False
    tls: TlsOptions = TlsOptions()
