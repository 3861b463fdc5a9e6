"""The floor of a refresh: the minimum that any Flask server must do for it. It is no server to use.

A token is `family.secret`. One UPDATE by primary key compares the digest of the secret and replaces it. One ES256
signature is made with the primitive of cryptography. Nothing else is checked or recorded, and each thread has one
connection. `FLOOR_DATABASE_URL` names the database, in which `prepare` creates the table.
"""

import base64
import functools
import hashlib
import json
import os
import secrets
import sqlite3
import threading
import time
from typing import Any

import psycopg
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from flask import Flask, Response, request

_SQLITE = "sqlite:///"
_ES256 = ec.ECDSA(hashes.SHA256())
_CREATE = {
    "sqlite": "CREATE TABLE f(id INTEGER PRIMARY KEY, sub TEXT, cur BLOB, gen INT DEFAULT 0, used INT)",
    "postgresql": "CREATE TABLE f(id bigint PRIMARY KEY, sub text, cur bytea, gen int DEFAULT 0, used timestamptz,"
    " exp timestamptz DEFAULT now() + interval '14 days') WITH (fillfactor=50)",
}
_INSERT = {
    "sqlite": "INSERT INTO f(id, sub, cur) VALUES(?, ?, ?)",
    "postgresql": "INSERT INTO f(id, sub, cur) VALUES(%s, %s, %s)",
}
_ROTATE = {
    "sqlite": "UPDATE f SET cur=?, gen=gen+1, used=unixepoch() WHERE id=? AND cur=? RETURNING sub",
    "postgresql": "UPDATE f SET cur=%b, gen=gen+1, used=now() WHERE id=%b AND cur=%b AND exp>now() RETURNING sub",
}

app = Flask("floor")


@app.post("/token")
def answer_token() -> Response:
    """Rotate one token."""
    family, _, secret = request.form["refresh_token"].partition(".")
    successor = secrets.token_urlsafe(32)
    row = _connect().execute(_rotate_statement(), (_digest(successor), int(family), _digest(secret))).fetchone()
    if row is None:
        return Response(b'{"error":"invalid_grant"}', 400, content_type="application/json")
    body = b'{"access_token":"%b","token_type":"Bearer","expires_in":900,"refresh_token":"%b","scope":"read write"}' % (
        _sign(row[0], family),
        f"{family}.{successor}".encode(),
    )
    return Response(body, content_type="application/json", headers={"Cache-Control": "no-store"})


def prepare(database_url: str, families: int) -> list[str]:
    """Create the table and this number of families. Return their tokens."""
    connection, kind = _open(database_url), _kind(database_url)
    connection.execute(_CREATE[kind])
    drawn = [(number, secrets.token_urlsafe(32)) for number in range(1, families + 1)]
    for number, secret in drawn:
        connection.execute(_INSERT[kind], (number, f"user{number}", _digest(secret)))
    connection.close()
    return [f"{number}.{secret}" for number, secret in drawn]


def _kind(database_url: str) -> str:
    return "sqlite" if database_url.startswith(_SQLITE) else "postgresql"


def _open(database_url: str) -> Any:  # noqa: ANN401 - a connection of either driver
    if _kind(database_url) == "postgresql":
        return psycopg.connect(database_url, autocommit=True, prepare_threshold=1)
    connection = sqlite3.connect(database_url.removeprefix(_SQLITE), isolation_level=None, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


_own = threading.local()


def _connect() -> Any:  # noqa: ANN401 - a connection of either driver
    if not hasattr(_own, "connection"):
        _own.connection = _open(os.environ["FLOOR_DATABASE_URL"])
    return _own.connection


@functools.cache
def _rotate_statement() -> str:
    return _ROTATE[_kind(os.environ["FLOOR_DATABASE_URL"])]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


_KEY = ec.generate_private_key(ec.SECP256R1())
_HEADER = _encode(b'{"alg":"ES256","kid":"k1","typ":"at+jwt"}') + b"."


def _sign(user: str, family: str) -> bytes:
    now = int(time.time())
    claims = {
        "iss": "https://as.example.test",
        "sub": user,
        "aud": "https://api.example.test",
        "exp": now + 900,
        "iat": now,
        "jti": secrets.token_urlsafe(16),
        "client_id": "bench",
        "scope": "read write",
        "sid": family,
    }
    signing_input = _HEADER + _encode(json.dumps(claims, separators=(",", ":")).encode())
    r, s = decode_dss_signature(_KEY.sign(signing_input, _ES256))
    return signing_input + b"." + _encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
