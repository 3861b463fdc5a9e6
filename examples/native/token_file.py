"""The refresh token between two runs, in a file that only its owner can read."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Kept:
    """A refresh token, and whose it is: it is sent to no other server, and for no other client."""

    issuer: str
    client_id: str
    refresh_token: str = field(repr=False)


class TokenFile:
    """The file at `path`. It may be missing; its folder is made when there is something to keep."""

    def __init__(self, path: Path) -> None:
        """Read and write nothing yet."""
        self._path = path

    def read(self, issuer: str, client_ids: set[str]) -> Kept | None:
        """Return what is kept for this server and one of these clients."""
        try:
            kept = Kept(**json.loads(self._path.read_text()))
        except FileNotFoundError:
            return None
        return kept if kept.issuer == issuer and kept.client_id in client_ids else None

    def write(self, kept: Kept) -> None:
        """Replace the file as a whole. `mkstemp` makes it with mode 0600, so nobody can read it even for a moment."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._path.parent)
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(kept), file)
        Path(name).replace(self._path)

    def replace(self, sent: Kept, refresh_token: str) -> None:
        """Keep the answer to a refresh only if `sent` is still kept: another run may have got a newer one since."""
        if self._holds(sent):
            self.write(replace(sent, refresh_token=refresh_token))

    def remove(self, sent: Kept) -> None:
        """Forget `sent`, unless another run has replaced it since."""
        if self._holds(sent):
            self._path.unlink(missing_ok=True)

    def _holds(self, kept: Kept) -> bool:
        return self.read(kept.issuer, {kept.client_id}) == kept
