"""The released weights from where they are published, with the user's own access token.

The service answers a token and a file's name with an address that is valid for a while; the file is an archive.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

CHUNK = 2**20
TIMEOUT_S = 60
MAX_UNPACKED_BYTES = 8 * 2**30  # the released archives hold a tenth of it
USER_AGENT = "Wget/1.21 (CellLoop)"  # the storage expects that name

Progress = Callable[[float], None]


class DownloadError(OSError):
    """The weights could not be fetched; the message says why, and whether trying again helps."""


class _NothingLeft(DownloadError):
    """A range was asked for that begins at or behind the file's end."""


@dataclass(frozen=True, slots=True)
class Release:
    """A published archive: the service's address, the file's name there and its MD5 (hex)."""

    service: str
    asset: str
    md5: str


CELLSAM_1_2 = Release(
    service="https://users.deepcell.org/api/getData/",
    asset="models/cellsam-models_v1.2.tar.gz",
    md5="f41e6899c49fc8ce12f77a8d25594604",
)


def fetch(release: Release, token: str, folder: Path, *, progress: Progress = lambda _: None) -> list[Path]:
    """Download the release's archive into `folder`, check it, and unpack its `.pt` files there.

    An interrupted download goes on where it stopped. Raises DownloadError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / PurePosixPath(release.asset).name
    if not archive.exists():
        download(signed_address(release, token), archive, md5=release.md5, progress=progress)
    files = unpack(archive, folder)
    archive.unlink()
    return files


def signed_address(release: Release, token: str) -> str:
    """Where the archive can be had for a while."""
    request = Request(release.service, data=urlencode({"s3_key": release.asset}).encode(), method="POST")  # noqa: S310
    request.add_unredirected_header("X-Api-Key", token)  # for this host's eyes only
    with _opened(request) as response:
        answer = response.read(CHUNK)
    try:
        return str(json.loads(answer)["url"])
    except (ValueError, KeyError, TypeError) as error:
        raise DownloadError(f"{_host(release.service)} gave an answer without an address") from error


def download(address: str, path: Path, *, md5: str, progress: Progress = lambda _: None) -> None:
    """Bring the file at `address` to `path`; what is unfinished stays beside it and is gone on with.

    Raises DownloadError; a file with another MD5 is removed.
    """
    unfinished = path.with_name(path.name + ".part")
    _bring(address, unfinished, progress)
    with unfinished.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != md5:
        unfinished.unlink()
        raise DownloadError(f"{path.name} is damaged: its MD5 is {found}, expected {md5}. Try again.")
    unfinished.replace(path)


def _bring(address: str, path: Path, progress: Progress) -> None:
    done = path.stat().st_size if path.exists() else 0
    request = Request(address, headers={"User-Agent": USER_AGENT})  # noqa: S310
    if done:
        request.add_header("Range", f"bytes={done}-")
    try:
        response = _opened(request)
    except _NothingLeft:
        return  # beyond what is here already; the checksum decides
    with response:
        if response.status != http.client.PARTIAL_CONTENT or _range_start(response) != done:
            done = 0
        total = done + int(response.headers.get("Content-Length", 0))
        with path.open("ab" if done else "wb") as file:
            for chunk in _chunks(response):
                file.write(chunk)
                done += len(chunk)
                progress(min(1.0, done / total) if total else 0.0)
    if done < total:
        raise DownloadError(
            f"the connection ended after {done} of {total} bytes; the same command goes on there"
        )


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while chunk := response.read(CHUNK):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(f"the connection broke ({error}); the same command goes on there") from error


def _range_start(response: http.client.HTTPResponse) -> int | None:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _opened(request: Request) -> http.client.HTTPResponse:
    """The response; DownloadError with the reason in words if there is none."""
    host = _host(request.full_url)
    if urlsplit(request.full_url).scheme not in ("http", "https"):
        raise DownloadError(f"{request.full_url.split(':')[0]} addresses are not followed")
    try:
        response: http.client.HTTPResponse = urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
    except HTTPError as error:
        kind = _NothingLeft if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE else DownloadError
        raise kind(_refusal(host, error.code)) from error
    except (URLError, OSError, http.client.HTTPException) as error:
        raise DownloadError(f"{host} cannot be reached: {getattr(error, 'reason', error)}") from error
    return response


def _host(address: str) -> str:
    return urlsplit(address).netloc or "the service"


def _refusal(host: str, code: int) -> str:
    if code in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        return f"{host} refused: the token is wrong or has expired, or the address has"
    if code == http.client.NOT_FOUND:
        return f"{host} does not have this file"
    return f"{host} answered {code}"


def unpack(archive: Path, folder: Path, *, limit: int = MAX_UNPACKED_BYTES) -> list[Path]:
    """Write the archive's `.pt` files into `folder`, each under its bare name.

    Raises DownloadError, before anything is written, if the archive holds links, devices, paths that lead out of it,
    two files of one name, or more than `limit` bytes; or if it is damaged or has no weights.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            members = _checked_members(tar, limit)
            if not members:
                raise DownloadError(f"{archive.name} has no .pt file")
            return [_write(tar.extractfile(member), folder / name) for name, member in members.items()]
    except (tarfile.TarError, EOFError) as error:
        raise DownloadError(f"{archive.name} cannot be unpacked: {error}") from error


def _checked_members(tar: tarfile.TarFile, limit: int) -> dict[str, tarfile.TarInfo]:
    """The weights by their bare names."""
    members: dict[str, tarfile.TarInfo] = {}
    total = 0
    for member in tar:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or not (member.isreg() or member.isdir()):
            raise DownloadError(
                f"the archive holds {member.name!r}, which is no file inside it; nothing was unpacked"
            )
        total += member.size
        if total > limit:
            raise DownloadError(f"the archive holds more than {limit} bytes; nothing was unpacked")
        if not member.isreg() or path.suffix != ".pt" or path.name.startswith("."):
            continue
        if path.name in members:
            raise DownloadError(f"the archive holds {path.name!r} twice; nothing was unpacked")
        members[path.name] = member
    return members


def _write(content: IO[bytes] | None, path: Path) -> Path:
    """The file appears at once or not at all."""
    if content is None:
        raise DownloadError(f"{path.name} cannot be read from the archive")
    unfinished = path.with_name(path.name + ".part")
    with content, unfinished.open("wb") as file:
        while chunk := content.read(CHUNK):
            file.write(chunk)
    return unfinished.replace(path)
