"""A server that speaks MongoDB's protocol, for the read models.

Three programs can do it, best first: `mongod`, SecantusDB's Rust server, SecantusDB's Python server
from the `secantusdb` wheel, which is for development only. Each program has its own data directory,
because their file formats differ.
"""

import importlib.util
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from devstack.port import HOST, HeldPort
from devstack.server import Server, ServerFailed

MONGOD = "mongod"
"""The real one; any other engine stands in for it."""
SECANTUS_RUST, SECANTUS_PYTHON = "secantusd-rs", "secantusdb"
PING_TIMEOUT_MS = 500
REPLICA_SET = "trackrecord"
NOT_YET_INITIALIZED = 94  # MongoDB's error code for a node without a replica set configuration
IN_USE = {"Device or resource busy": "another server is using this directory"}


def mongo_engine() -> str | None:
    """Return the name of the best server on this machine; None if there is none."""
    for engine in (MONGOD, SECANTUS_RUST):
        if _on_path(engine) is not None:
            return engine
    return SECANTUS_PYTHON if importlib.util.find_spec("secantus") is not None else None


def mongo(data_dir: Path, port: int | None = None) -> Server:
    """Return the best server on this machine, as a replica set because transactions need one.

    :raises ServerFailed: there is none.
    :raises PortTaken: something already listens on `port`.
    """
    data_dir = data_dir.resolve()
    held = HeldPort(port)
    number = int(held)
    engine = mongo_engine()
    if engine is None:
        raise ServerFailed(
            "MongoDB was not found: install mongod, secantusd-rs or `trackrecord[dev]`"
        )
    files = data_dir / engine
    if engine == SECANTUS_PYTHON:
        argv, query = _secantus_python(data_dir, files, number), "replicaSet=secantus"
    elif engine == SECANTUS_RUST:
        argv, query = _secantus_rust(data_dir, files, number), "directConnection=true"
    else:
        argv, query = _mongod(files, number), f"replicaSet={REPLICA_SET}"

    def prepare() -> None:
        files.mkdir(exist_ok=True)
        _empty_config(data_dir).touch()

    return Server(
        name="mongo",
        engine=engine,
        url=f"mongodb://{HOST}:{number}/?{query}",
        argv=argv,
        data_dir=data_dir,
        port=held,
        prepare=prepare,
        ping=lambda: _serves_writes(number),
        explanations=IN_USE,
    )


def _on_path(name: str) -> str | None:
    """Return the program's absolute path, as it runs in the data directory, or None."""
    found = shutil.which(name)
    return str(Path(found).absolute()) if found is not None else None


def _program(name: str) -> str:
    return _on_path(name) or name


def _mongod(files: Path, port: int) -> Sequence[str]:
    """Run MongoDB with little memory: the smallest cache and an oplog of 512 MB."""
    argv = [_program(MONGOD), "--dbpath", str(files), "--bind_ip", HOST, "--port", str(port)]
    argv += ["--replSet", REPLICA_SET, "--oplogSize", "512", "--wiredTigerCacheSizeGB", "0.25"]
    return argv


def _secantus_rust(data_dir: Path, files: Path, port: int) -> Sequence[str]:
    return [_program(SECANTUS_RUST), *_secantus(data_dir, files, port)]


def _secantus_python(data_dir: Path, files: Path, port: int) -> Sequence[str]:
    """Run the wheel's server, isolated from modules in the data directory."""
    return [sys.executable, "-P", "-m", "secantus", *_secantus(data_dir, files, port)]


def _secantus(data_dir: Path, files: Path, port: int) -> Sequence[str]:
    """Return the options of both servers, which read no settings in the data directory.

    Without --sync-on-commit they acknowledge from memory, whatever the write concern: when killed,
    the one in Python lost the last 100 transactions (version 0.7.0b3). With it, it lost none, and a
    transaction of a projection took 0.1 to 0.3 ms longer per document.
    """
    argv = ["--config", str(_empty_config(data_dir))]
    argv += ["--host", HOST, "--port", str(port), "--storage-path", str(files)]
    argv += ["--log-level", "WARNING", "--cache-size", "256M", "--oplog-max-entries", "20000"]
    return [*argv, "--sync-on-commit"]


def _empty_config(data_dir: Path) -> Path:
    return data_dir / "empty.toml"


def _serves_writes(port: int) -> bool:
    """Return whether the node is primary; if necessary, make it the only member of its set."""
    try:  # The driver would use up its whole timeout on a port where nobody listens yet.
        socket.create_connection((HOST, port), timeout=PING_TIMEOUT_MS / 1000).close()
    except OSError:
        return False
    client: MongoClient[dict[str, Any]] = MongoClient(
        HOST,
        port,
        directConnection=True,
        serverSelectionTimeoutMS=PING_TIMEOUT_MS,
        connectTimeoutMS=PING_TIMEOUT_MS,
        socketTimeoutMS=10 * PING_TIMEOUT_MS,
    )
    with client:
        try:
            hello = client.admin.command("hello")
            if hello.get("isWritablePrimary", False):
                return True
            _be_the_only_member(client, f"{HOST}:{port}")
        except PyMongoError:
            return False
    return False


def _be_the_only_member(client: MongoClient[dict[str, Any]], address: str) -> None:
    """Create the replica set, or tell it that its node has moved to another port."""
    try:
        config: dict[str, Any] = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as refused:
        if refused.code != NOT_YET_INITIALIZED:
            raise
        members = [{"_id": 0, "host": address}]
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
        return
    if config["members"][0]["host"] != address:
        config["members"][0]["host"] = address
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)
