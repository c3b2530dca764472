"""A resolver that knows one small world and asks nobody: `python -m deploy.setup.resolver ZONE.JSON PORT`.

In: a zone file, `{name: {type: [value, ...]}}` or `{name: "SERVFAIL"}`, read again when it changed; questions over UDP
on loopback. Out: answers; a name that the file lacks does not exist. Nothing is touched. Raises OSError when the port
is taken. Types: TXT, A, MX (`10 mail.example.org`). So SPF, DKIM and DMARC can be proved with no network.

Sources: RFC 1035, sections 4.1 and 3.3; RFC 6891. rspamd drops an answer of less than 28 bytes, as one about a short
name is, so that the OPT record which it sends must come back.
"""

import asyncio
import ipaddress
import json
import struct
import sys
from pathlib import Path
from typing import Final, cast

TYPES: Final = {1: "A", 15: "MX", 16: "TXT"}
NUMBERS: Final = {name: number for number, name in TYPES.items()}
FAILED, UNKNOWN = 2, 3  # SERVFAIL, NXDOMAIN
RESPONSE: Final = 0x8580  # an answer, authoritative, recursion is done with
LIFETIME: Final = 1  # seconds; a test changes its mind
OPT: Final = struct.pack("!BHHIH", 0, 41, 1232, 0, 0)
World = dict[str, "str | dict[str, list[str]]"]


class Zone:
    """What the file says, as it is now."""

    def __init__(self, path: Path) -> None:
        """The file must be there."""
        self.path = path
        self.changed = 0
        self.world: World = {}

    def read(self) -> World:
        """The names, read again when the file was replaced."""
        changed = self.path.stat().st_mtime_ns
        if changed != self.changed:
            self.world, self.changed = json.loads(self.path.read_text(encoding="utf-8")), changed
        return self.world


class Resolver(asyncio.DatagramProtocol):
    """Answers every question that it can read."""

    def __init__(self, zone: Zone) -> None:
        """Answer out of this zone."""
        self.zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket to answer through."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """Answer one question; what is none is dropped."""
        try:
            name, kind, end = read_question(data)
        except (IndexError, struct.error, UnicodeDecodeError):
            return
        self.transport.sendto(answer(data, end, kind, self.zone.read().get(name)), address)


def read_question(data: bytes) -> tuple[str, int, int]:
    """The name in lower case, the type, and where the question ends."""
    labels, at = [], 12
    while length := data[at]:
        if length > 63:
            raise IndexError("a compressed name in a question")
        labels.append(data[at + 1 : at + 1 + length].decode("ascii"))
        at += 1 + length
    (kind,) = struct.unpack_from("!H", data, at + 1)
    return ".".join(labels).lower(), kind, at + 5


def answer(question: bytes, end: int, kind: int, entry: "str | dict[str, list[str]] | None") -> bytes:
    """The whole answer. A name without records of this type exists and has none."""
    code = UNKNOWN if entry is None else FAILED if isinstance(entry, str) else 0
    values = entry.get(TYPES.get(kind, ""), []) if isinstance(entry, dict) else []
    records = b"".join(record(kind, value) for value in values)
    extra = OPT if len(question) > end else b""
    head = struct.pack("!5H", RESPONSE | code, 1, len(values), 0, len(extra) // len(OPT))
    return question[:2] + head + question[12:end] + records + extra


def record(kind: int, value: str) -> bytes:
    """One resource record of the name that was asked for."""
    data = rdata(kind, value)
    return struct.pack("!HHHIH", 0xC00C, kind, 1, LIFETIME, len(data)) + data


def rdata(kind: int, value: str) -> bytes:
    """The value as it stands in a record."""
    if kind == NUMBERS["A"]:
        return ipaddress.IPv4Address(value).packed
    if kind == NUMBERS["MX"]:
        preference, _blank, host = value.partition(" ")
        return struct.pack("!H", int(preference)) + b"".join(map(string, host.encode().split(b"."))) + b"\0"
    text = value.encode()
    return b"".join(string(text[at : at + 255]) for at in range(0, max(len(text), 1), 255))


def string(text: bytes) -> bytes:
    """A length and that many bytes."""
    return bytes([len(text)]) + text


async def serve(zone: Path, port: int) -> None:
    """Answer for ever."""
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Resolver(Zone(zone)), ("127.0.0.1", port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
