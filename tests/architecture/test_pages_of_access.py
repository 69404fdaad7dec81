"""The pages on how people get in from elsewhere, run as they are written on the whole product."""

import re
from pathlib import Path

import pytest

from devstack.port import HeldPort
from tests.architecture.reader import BLOCK, reading
from tests.architecture.sources import ROOT

SIGNING_ON = ROOT / "docs" / "how-to" / "log-in-with-your-identity-provider.md"
IMPORTING = ROOT / "docs" / "how-to" / "import-people.md"
CSV = re.compile(r"^```csv\n(.*?)^```$", re.MULTILINE | re.DOTALL)
START = re.compile(r"`([A-Z_]+=\S+(?: [A-Z_]+=\S+)*) make run`")

pytestmark = [pytest.mark.acceptance, pytest.mark.servers]


def test_people_get_in_by_the_words_of_the_pages(tmp_path: Path) -> None:
    signing_on, importing = (page.read_text() for page in (SIGNING_ON, IMPORTING))
    ports = {"9400": str(int(HeldPort())), "9453": str(int(HeldPort()))}

    def ours(text: str) -> str:
        for theirs, port in ports.items():
            text = text.replace(theirs, port)
        return text

    [start] = START.findall(signing_on)
    settings = dict(each.split("=", 1) for each in ours(start).split())
    with reading(tmp_path, **settings) as reader:
        steps = [text for page in (signing_on, importing) for _, text in BLOCK.findall(page)]
        (tmp_path / "people.csv").write_text(CSV.findall(importing)[0])
        script = "\n".join(reader.ours(ours(text)) for text in steps)

        told = reader.run("set -eu\ntrap 'kill $(jobs -p)' EXIT\n" + script)

    assert told.returncode == 0, told.stdout + told.stderr
    provider, domains, proven, page, profile, *rest = filter(None, told.stdout.splitlines())
    assert '"redirectUri":"http://127.0.0.1' in provider
    assert '"proven":false,"record":{"name":"_trackrecord.acme.example"' in domains
    assert '"domain":"acme.example","proven":true' in proven
    assert page == "http://localhost:5173/"
    assert '"email":"kim@acme.example"' in profile
    assert '"role":"MEMBER"' in profile
    required, refused, imported = rest
    assert '"code":"totp_required"' in required
    assert '"items":[]' in refused
    assert imported == "2 accounts created, 0 were there already, 0 lines refused"
