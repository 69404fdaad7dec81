"""The matrix of routes and callers has every route: a new one is agreed on before it is in."""

from tests.architecture.sources import ROOT
from tools.http import description

MATRIX = ROOT / "tests" / "api" / "http" / "access_matrix.txt"
UNSTEADY = {"/health/ready", "/api/health/ready"}


def test_every_route_has_its_lines_in_the_matrix() -> None:
    listed = {block.splitlines()[0] for block in MATRIX.read_text().split("\n\n")}
    described = {
        f"{method.upper()} {path}"
        for path, item in description()["paths"].items()
        for method, operation in item.items()
        if path not in UNSTEADY and "operationId" in operation and method not in {"head", "options"}
    }

    assert listed == described, "run `make examples`, and look at the new lines"
