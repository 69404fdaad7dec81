"""Generates the architecture page from the import-linter contracts."""

import ast
import tomllib
from typing import Any

from tools.discover import ROOT
from tools.markdown import code, fence, page, table

_INTRO = """\
Each package may import from the layers below its own, never from its neighbours; import-linter
checks it (`make lint`). The arrows show neighbouring layers; imports may also skip layers."""


def architecture_page() -> str:
    """Return the page: a diagram of the layers, the packages, the other contracts."""
    lint: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    contracts = lint["importlinter"]["contracts"]
    first = next(c for c in contracts if c["type"] == "layers")
    layers = [[package.strip() for package in layer.split("|")] for layer in first["layers"]]
    packages = [package for layer in layers for package in layer]
    rows = [(code(f"{package}/"), _about(package)) for package in packages]
    others = [f"- {contract['name']}." for contract in contracts if contract is not first]
    return page(
        "Architecture",
        _INTRO,
        fence("mermaid", _diagram(layers)),
        table(("package", "contents"), rows),
        "## The other contracts",
        "\n".join(others),
    )


def _diagram(layers: list[list[str]]) -> list[str]:
    lines = ["flowchart TD"]
    for number, layer in enumerate(layers, start=1):
        lines += [f"    subgraph layer{number}[ ]", "        direction LR"]
        lines += [f"        {package}" for package in layer]
        lines.append("    end")
    return lines + [f"    layer{n} --> layer{n + 1}" for n in range(1, len(layers))]


def _about(package: str) -> str:
    """Return the first sentence of a package's docstring."""
    path = ROOT / package / "__init__.py"
    said = ast.get_docstring(ast.parse(path.read_text())) or ""
    return said.partition("\n")[0]
