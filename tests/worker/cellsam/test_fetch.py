"""`fetch` against a server of our own, on this machine."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from worker.cellsam.__main__ import main
from worker.cellsam.download import DownloadError, unpack

TOKEN = "alice-and-nobody-else"
ASSET = "models/cellsam-models_v1.2.tar.gz"


def tar_gz(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for info, content in members:
            info.size = len(content) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def member(
    name: str, content: bytes = b"weights", *, kind: bytes = tarfile.REGTYPE, target: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, content


ARCHIVE = tar_gz(
    member("cellsam_v1.2", kind=tarfile.DIRTYPE),
    member("cellsam_v1.2/cellsam_general.pt", bytes(range(256)) * 20_000),
    member("cellsam_v1.2/cellsam_extra.pt", b"extra"),
    member("cellsam_v1.2/LICENSE.md", b"read me"),
)


@dataclass
class Storage:
    """What the server holds, and what it was asked for."""

    content: bytes = ARCHIVE
    breaks_after: int | None = None
    ranges: list[str | None] = field(default_factory=list)
    tokens_seen_by_storage: list[str | None] = field(default_factory=list)
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    storage: Storage

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if self.headers["X-Api-Key"] != TOKEN:
            self.send_error(403)
        elif asked["s3_key"] != [ASSET]:
            self.send_error(404)
        else:
            self._send(
                200, json.dumps({"url": f"{self.storage.address}/file?signed", "size": "1 MB"}).encode()
            )

    def do_GET(self) -> None:
        storage, asked = self.storage, self.headers["Range"]
        storage.ranges.append(asked)
        storage.tokens_seen_by_storage.append(self.headers["X-Api-Key"])
        first = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if first >= len(storage.content):
            self.send_error(416)
            return
        part = f"bytes {first}-{len(storage.content) - 1}/{len(storage.content)}"
        self._send(206 if asked else 200, storage.content[first:], {"Content-Range": part} if asked else {})

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            content, self.storage.breaks_after = content[: self.storage.breaks_after], None
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def storage() -> Iterator[Storage]:
    storage = Storage()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OfTest", (Handler,), {"storage": storage}))
    storage.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield storage
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPCELL_ACCESS_TOKEN", TOKEN)


def fetch(storage: Storage, folder: Path, *, md5: str | None = None) -> int:
    md5 = md5 or hashlib.md5(storage.content).hexdigest()
    return main(["fetch", "--service", f"{storage.address}/getData/", "--md5", md5, "--out", str(folder)])


def test_the_weights_come_with_the_users_token(
    storage: Storage, token: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(storage, tmp_path / "new") == 0

    assert (tmp_path / "new" / "cellsam_general.pt").read_bytes() == bytes(range(256)) * 20_000
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "cellsam_extra.pt",
        "cellsam_general.pt",
    ]
    assert "convert" in capsys.readouterr().out
    assert storage.tokens_seen_by_storage == [None]  # the token is the service's business alone


def test_a_broken_download_goes_on_where_it_stopped(
    storage: Storage, token: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    storage.breaks_after = 5000

    assert fetch(storage, tmp_path) == 2
    assert "after 5000 of" in capsys.readouterr().err
    assert fetch(storage, tmp_path) == 0

    assert storage.ranges == [None, "bytes=5000-"]
    assert (tmp_path / "cellsam_extra.pt").read_bytes() == b"extra"


def test_a_download_that_only_lacked_its_check_is_not_repeated(
    storage: Storage, token: None, tmp_path: Path
) -> None:
    (tmp_path / "cellsam-models_v1.2.tar.gz.part").write_bytes(storage.content)

    assert fetch(storage, tmp_path) == 0
    assert (tmp_path / "cellsam_extra.pt").exists()


def test_a_damaged_file_is_refused_and_removed(
    storage: Storage, token: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(storage, tmp_path, md5="0" * 32) == 2

    assert "damaged" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "reason"), [("", "set DEEPCELL_ACCESS_TOKEN"), ("stale", "token is wrong")]
)
def test_no_token_and_a_wrong_one_are_said_in_a_line(
    storage: Storage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    value: str,
    reason: str,
) -> None:
    monkeypatch.setenv("DEEPCELL_ACCESS_TOKEN", value)

    assert fetch(storage, tmp_path) == 2

    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1


def test_a_service_that_is_not_there_is_said_in_a_line(
    token: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", "--service", "http://127.0.0.1:1/", "--out", str(tmp_path)]) == 2
    assert "cannot be reached" in capsys.readouterr().err
    assert main(["fetch", "--service", "file:///etc/passwd", "--out", str(tmp_path)]) == 2
    assert "not followed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (member("../outside.pt"), "no file inside"),
        (member("/tmp/outside.pt"), "no file inside"),
        (member("link.pt", kind=tarfile.SYMTYPE, target="/etc/passwd"), "no file inside"),
        (member("hard.pt", kind=tarfile.LNKTYPE, target="good.pt"), "no file inside"),
        (member("pipe.pt", kind=tarfile.FIFOTYPE), "no file inside"),
        (member("other/good.pt"), "twice"),
        (member("large.bin", b"0" * 5000), "more than 4096 bytes"),
    ],
)
def test_a_hostile_archive_writes_nothing(
    tmp_path: Path, hostile: tuple[tarfile.TarInfo, bytes], reason: str
) -> None:
    archive = tmp_path / "archive.tar.gz"
    archive.write_bytes(tar_gz(member("good.pt"), hostile))
    folder = tmp_path / "inside" / "here"
    folder.mkdir(parents=True)

    with pytest.raises(DownloadError, match=reason):
        unpack(archive, folder, limit=4096)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [archive]


@pytest.mark.parametrize("content", [b"no archive", ARCHIVE[:3000], tar_gz(member("notes.txt"))])
def test_an_archive_without_weights_is_refused(tmp_path: Path, content: bytes) -> None:
    archive = tmp_path / "archive.tar.gz"
    archive.write_bytes(content)

    with pytest.raises(DownloadError):
        unpack(archive, tmp_path)
