"""The settings of a facility, kept as JSON in its folder."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from flavorframe._files.writing import replacing
from flavorframe.errors import FacilityError, did_you_mean

FILE = "settings.json"
GB = 10**9
"""Bytes of the unit that memory is chosen in."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = rf"^({LABEL}\.)*[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?$"
"""Name in the DNS, and no IP address, below which there are no names."""
DEFAULT_PORTS = {"http": 80, "https": 443}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Environment(_Model):
    """Software that a server can be started with.

    Args:
        name: Name in options.
        title: Text in the form.
        image: Container image, on Kubernetes.
        python: Python with JupyterLab, on one machine; None means the one of the facility.

    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")] = "flavorframe"
    title: str = "flavorframe"
    image: str | None = None
    python: Path | None = None


class Workshop(_Model):
    """Login with any name and a password that all share."""

    kind: Literal["workshop"] = "workshop"


class Oidc(_Model):
    """Login by an OpenID Connect provider, such as INDIGO IAM.

    Args:
        issuer: The address that the provider calls its issuer.
        client_id: The hub's client there.
        client_secret_file: File of the client's secret, which the hub alone can read.
        user_group: Members of this group get in.
        admin_group: Members of this group get in as administrators.
        service: What the provider is called on the login's page.
        contact: Whom people ask who are not let in, such as an electronic mail address.
        username_claim: Which of the provider's claims is the user's name here.
        scopes: What access tokens are for, beside the login: ``("storage.read:/",)``.

    """

    kind: Literal["oidc"] = "oidc"
    issuer: Annotated[str, Field(pattern=r"^https?://")]
    client_id: str
    client_secret_file: Path
    user_group: str
    admin_group: str | None = None
    service: str = "INDIGO IAM"
    contact: str = ""
    username_claim: str = "preferred_username"
    scopes: tuple[str, ...] = ()


class ClusterLimits(_Model):
    """What some Dask clusters may take together; None means no limit.

    Args:
        clusters: Number of clusters at a time.
        cores: Cores of all their workers.
        memory: Memory of all their workers, in GB.

    """

    clusters: Annotated[int, Field(ge=0)] | None = None
    cores: Annotated[int, Field(ge=0)] | None = None
    memory: Annotated[int, Field(ge=0)] | None = None


class Settings(_Model):
    """The settings of a facility, which an administrator chooses.

    Args:
        folder: Folder of the facility: users' homes, databases, secrets, logs.
        backend: Where servers and clusters run.
        address: Where the facility listens; beyond loopback only with a certificate and a domain.
        domain: Name of the facility in the DNS, below which each user's server has its own, such
            as ``alice.facility.example.org``. On loopback ``localhost``, unless another is given.
        port: The facility's port. The ports after it, up to ``port + 5``, are used on loopback.
        certificate: TLS certificate with its chain, as PEM.
        key: Key of the certificate.
        login: Who gets in.
        environments: Choices of software for a server.
        cores: Choices of a number of cores.
        memory: Choices of memory, in GB.
        idle_server_minutes: Minutes without use after which a server is stopped.
        idle_cluster_minutes: Minutes without work after which a Dask cluster is stopped.
        clusters_per_user: Number of Dask clusters that a user can have at a time.
        cluster_cores_per_user: Cores of all clusters of a user together.
        cluster_memory_per_user: Memory of all clusters of a user together, in GB.
        cluster_limits_by_group: By group, what the clusters of its members may take together.
        processes_per_server: Processes and threads of a server, or of a Dask worker.
        total_memory: Memory of all servers and clusters of this machine together, in GB; None
            means all that it has.
        home_quota: Size of a home, in GB, above which no server is started; None means no limit.
        login_days: Days after which people log in again, and after which their tokens end.
        trusted_proxies: Addresses of proxies in front of the facility's own, which tell from
            where requests come.
        accounts: Prefix of the names of users' accounts on this machine.

    Raises:
        ValueError: A setting is wrong; the text says why. `make` raises a FacilityError instead.

    """

    folder: Path
    backend: Literal["local", "kubernetes"] = "local"
    address: str = "127.0.0.1"
    domain: Annotated[str, Field(pattern=DOMAIN, max_length=190)] | None = None
    port: Annotated[int, Field(ge=1, le=65530)] = 8000
    certificate: Path | None = None
    key: Path | None = None
    login: Annotated[Workshop | Oidc, Field(discriminator="kind")] = Workshop()
    environments: Annotated[tuple[Environment, ...], Field(min_length=1)] = (Environment(),)
    cores: Annotated[tuple[int, ...], Field(min_length=1)] = (1, 2, 4, 8)
    memory: Annotated[tuple[int, ...], Field(min_length=1)] = (2, 4, 8, 16)
    idle_server_minutes: Annotated[float, Field(gt=0)] = 120
    idle_cluster_minutes: Annotated[float, Field(gt=0)] = 30
    clusters_per_user: Annotated[int, Field(ge=1)] = 2
    cluster_cores_per_user: Annotated[int, Field(ge=1)] = 8
    cluster_memory_per_user: Annotated[int, Field(ge=1)] = 16
    cluster_limits_by_group: dict[str, ClusterLimits] = {}
    processes_per_server: Annotated[int, Field(ge=50)] = 2000
    total_memory: Annotated[int, Field(ge=1)] | None = None
    home_quota: Annotated[int, Field(ge=1)] | None = None
    login_days: Annotated[float, Field(gt=0)] = 1
    trusted_proxies: tuple[str, ...] = ()
    accounts: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,9}-$")] = "ff-"

    @model_validator(mode="after")
    def _check_tls(self) -> Settings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("a certificate and its key go together: give both")
        if self.address not in LOOPBACK and self.certificate is None:
            raise ValueError(
                f"address {self.address} can be reached from other machines, and passwords would "
                "cross the network readable: give a certificate and its key as well"
            )
        if self.address not in LOOPBACK and self.domain is None:
            raise ValueError(
                f"address {self.address} can be reached from other machines, and a page of one "
                "user's server could act there for whoever looks at it: give the facility's name "
                "in the DNS as domain, such as facility.example.org. The name and all names below "
                "it, *.facility.example.org, must lead here and be in the certificate"
            )
        return self

    @property
    def url(self) -> str:
        """Address of the facility for users."""
        if self.backend == "kubernetes":
            return f"https://{self.domain}/"
        port = "" if DEFAULT_PORTS[self._scheme] == self.port else f":{self.port}"
        return f"{self._scheme}://{self.domain or 'localhost'}{port}/"

    @property
    def bind_url(self) -> str:
        """Address at which the facility's proxy listens."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self._scheme}://{host}:{self.port}/"

    @property
    def _scheme(self) -> str:
        return "http" if self.certificate is None else "https"

    @property
    def proxy_port(self) -> int:
        """Port of the proxy's API, for the hub."""
        return self.port + 1

    @property
    def hub_port(self) -> int:
        """Port of the hub behind the proxy."""
        return self.port + 2

    @property
    def gateway_port(self) -> int:
        """Port of the Dask Gateway's API."""
        return self.port + 3

    @property
    def gateway_proxy_port(self) -> int:
        """Port of the Dask Gateway's proxy."""
        return self.port + 4

    @property
    def administration_port(self) -> int:
        """Port of the administrators' page, which the hub starts."""
        return self.port + 5

    @property
    def private(self) -> Path:
        """Folder of secrets and databases, which only its owner can enter."""
        return self.folder / "private"

    @property
    def file(self) -> Path:
        """File with these settings."""
        return self.folder / FILE

    @property
    def stop_clusters(self) -> Path:
        """File whose existence asks the gateway to stop all clusters when it is stopped."""
        return self.private / "stop-clusters"

    @property
    def homes(self) -> Path:
        """Folder of users' homes."""
        return self.folder / "homes"

    @property
    def logs(self) -> Path:
        """Folder of the programs' logs."""
        return self.private / "logs"

    def save(self) -> None:
        """Write the settings into the facility's folder."""
        text = self.model_dump_json(indent=2, exclude={"folder"})
        with replacing(self.file, error=FacilityError) as file:
            file.write_text(text + "\n")

    def changed(self, **choices: Any) -> Settings:
        """Return the settings with some of them changed."""
        return make(**{**self.model_dump(), **choices})


def make(**choices: Any) -> Settings:
    """Return settings, or raise a FacilityError that says which one is wrong.

    >>> make(folder="/srv/facility", port=8080).url
    'http://localhost:8080/'
    >>> make(folder="/srv/facility", address="0.0.0.0")
    Traceback (most recent call last):
        ...
    flavorframe.errors.FacilityError: address 0.0.0.0 can be reached from other machines, and
    passwords would cross the network readable: give a certificate and its key as well.
    """
    try:
        return Settings(**choices)
    except ValidationError as error:
        raise FacilityError(_sentence(error)) from None


def load(folder: Path) -> Settings | None:
    """Return the settings of the facility in a folder; None if there is none.

    Raises:
        FacilityError: The file is damaged; the text says where.

    """
    file = folder / FILE
    try:
        text = file.read_text()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FacilityError(f"{file} cannot be read: {error.strerror}.") from error
    return parse(text, folder, file)


def parse(text: str, folder: Path, file: Path) -> Settings:
    """Return settings from JSON.

    Args:
        text: The JSON.
        folder: Folder of the facility.
        file: Where the text is from, for messages.

    Raises:
        FacilityError: They are damaged; the text says where.

    """
    try:
        return Settings.model_validate({**_object(text), "folder": folder})
    except (ValidationError, ValueError) as error:
        reason = _sentence(error) if isinstance(error, ValidationError) else f"{error}."
        raise FacilityError(
            f"the settings in {file} are damaged: {reason} Correct the file, or remove it to "
            "start from the defaults; homes and passwords are not in it."
        ) from None


def default_folder() -> Path:
    """Return the folder of a facility if no other is chosen."""
    if os.geteuid() == 0:
        return Path("/var/lib/flavorframe/facility")
    data = os.environ.get("XDG_DATA_HOME", "~/.local/share")
    return Path(data).expanduser() / "flavorframe" / "facility"


def _object(text: str) -> dict[str, Any]:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("it holds no JSON object")
    return content


def _sentence(error: ValidationError) -> str:
    """Return what is wrong, field by field."""
    parts = []
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"])
        message = re.sub("^Value error, ", "", item["msg"])
        if item["type"] == "extra_forbidden":
            message = f"there is no such setting.{did_you_mean(where, Settings.model_fields)}"
        parts.append(f"{where}: {message}" if where else message)
    text = "; ".join(parts)
    return text if text.endswith((".", "?")) else f"{text}."
