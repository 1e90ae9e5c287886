"""What the workers of a run need beside the data: credentials, corrections, files."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from flavorframe._expr import nodes as n
from flavorframe._files.remote import s3
from flavorframe._files.remote.credentials import USUAL, Credentials, credentials_for
from flavorframe._files.remote.private_files import NotOwnError, read_private
from flavorframe._files.remote.proxies import read_proxy
from flavorframe._files.remote.tokens import describe, token_at
from flavorframe._planning.plan import Plan
from flavorframe._run.delivery.work_folder import (
    CORRECTIONS,
    FILES,
    MODELS,
    PROXY,
    S3_KEYS,
    S3_SETTINGS,
    TOKEN,
    Payload,
)
from flavorframe._shipping import extra_files
from flavorframe.datasets import Dataset, PathLike
from flavorframe.errors import AnalysisError, CorrectionError, FlavorframeError, ModelError


@dataclass(frozen=True)
class Delivery:
    """What is to be delivered, as places on this machine; contents are read at the delivery.

    ``corrections`` and ``models`` have paths, by the SHA-256 of the files when the analysis was
    written.
    """

    credentials: Credentials = field(default_factory=Credentials)
    corrections: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        plan: Plan,
        dataset: Dataset,
        files: PathLike | Iterable[PathLike] = (),
        needed: timedelta = USUAL,
    ) -> Delivery:
        """Return what a plan needs on a dataset, for a run that takes about the time ``needed``.

        Raises CredentialError for credentials that are missing or end too early, and AnalysisError
        for extra files that do not exist or have the same name.
        """
        credentials = credentials_for(dataset.places, needed)
        return cls(credentials, _corrections(plan), existing_files(files), _models(plan))

    def __bool__(self) -> bool:
        return bool(self.credentials or self.corrections or self.files or self.models)

    def payload(self, version: int = 0) -> Payload:
        """Return the contents as they are now.

        Raises CorrectionError or ModelError where the file of one has changed.
        """
        contents = self.secrets()
        for digest, path in self.corrections.items():
            suffixes = "".join(Path(path).suffixes[-2:])  # correctionlib goes by .gz
            contents[f"{CORRECTIONS}/{digest}{suffixes}"] = _unchanged(
                path, digest, "correction", CorrectionError
            )
        for digest, path in self.models.items():
            contents[f"{MODELS}/{digest}"] = _unchanged(path, digest, "model", ModelError)
        for path in self.files:
            contents[f"{FILES}/{Path(path).name}"] = Path(path).read_bytes()
        return Payload(contents, version)

    def secrets(self) -> dict[str, bytes]:
        """Return the contents of the credentials now; raises CredentialError if they are gone."""
        proxy, token = self.credentials.proxy, self.credentials.token
        contents = {}
        if proxy is not None:
            contents[PROXY] = read_private(proxy.path, "proxy")
        if token is not None:
            contents[TOKEN] = token_at(token.place).encode()
        if self.credentials.s3:
            contents[S3_KEYS], contents[S3_SETTINGS] = s3.as_files()
        return contents

    def current(self) -> Credentials:
        """Return the credentials in the same places now; raises CredentialError if not valid."""
        proxy, token = self.credentials.proxy, self.credentials.token
        found = Credentials(
            proxy and read_proxy(proxy.path),
            token and describe(token.place, token_at(token.place)),
            self.credentials.s3,
        )
        found.check()
        return found

    @contextlib.contextmanager
    def here(self) -> Iterator[None]:
        """Let functions in this process find the extra files in the block."""
        names = {Path(path).name: path for path in self.files}
        extra_files.register(names, {})
        try:
            yield
        finally:
            extra_files.forget(names, {})

    def into(self, folder: Path) -> None:
        """Write everything into a folder with mode 0700, for jobs: see `work_folder.in_use`.

        The jobs must be able to read the folder, and it must be removed after them.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        self.payload().write(folder)


@contextlib.contextmanager
def telling_of_strangers(told: set[str]) -> Iterator[None]:
    """Warn, once, of somebody else's file in the place of a credential that is to be renewed."""
    try:
        yield
    except NotOwnError as error:
        if str(error) not in told:
            told.add(str(error))
            warnings.warn(f"{error} The run goes on with the one from before.", stacklevel=3)
        raise


def _corrections(plan: Plan) -> dict[str, str]:
    return {
        node.correction.digest: node.correction.path
        for tree in plan.trees()
        for node in n.walk(tree)
        if isinstance(node, n.CallCorrection) and node.correction.content is None
    }


def existing_files(files: PathLike | Iterable[PathLike]) -> tuple[str, ...]:
    """Return the absolute paths of extra files; raises AnalysisError if one cannot be used."""
    given = (files,) if isinstance(files, str | os.PathLike) else tuple(files)
    paths = [Path(file).expanduser().resolve() for file in given]
    for path in paths:
        if not path.is_file():
            raise AnalysisError(f"files=: there is no file {path}.")
    name, count = Counter(path.name for path in paths).most_common(1)[0] if paths else ("", 0)
    if count > 1:
        raise AnalysisError(
            f"files=: {count} files are called {name!r}, and only one can be found by its name."
        )
    return tuple(map(str, paths))


def _models(plan: Plan) -> dict[str, str]:
    return {
        digest: path
        for tree in plan.trees()
        for node in n.walk(tree)
        if isinstance(node, n.CallModel)
        for digest, path in node.model.files().items()
    }


def _unchanged(path: str, digest: str, what: str, kind: type[FlavorframeError]) -> bytes:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise kind(f"the {what} file {path} cannot be read: {error.strerror}.") from None
    if sha256(content).hexdigest() != digest:
        raise kind(
            f"the {what} file {path} has changed since the analysis was written: run the "
            "script, or the cell of the notebook, again."
        )
    return content
