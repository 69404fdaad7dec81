"""The bundled verifier is a single file that works alone and gives the same report."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import audit.bundle
from audit.bundle import bundle
from audit.lines import event_line
from audit.standalone import main
from tests.audit.exports import SIGNER, STRANGER, checkpoint, closed, entry, export
from tests.audit.proof.test_check import consistency, inclusion

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty folder that contains only the script."""
    folder = tmp_path_factory.mktemp("alone")
    made = subprocess.run(
        [sys.executable, "-m", "audit.bundle"], cwd=ROOT, capture_output=True, check=True
    )
    assert made.stdout.decode() == bundle()
    (folder / "trackrecord-verify.py").write_bytes(made.stdout)
    return folder


def run(alone: Path, lines: list[bytes], *options: str) -> tuple[int, str]:
    """Run the script on an export from a pipe, isolated from the project."""
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "trackrecord-verify.py", "-", *options],
        cwd=alone,
        input=b"".join(lines),
        capture_output=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).decode()


class TestBundledScript:
    @pytest.mark.servers
    def test_the_bundled_script_accepts_a_good_export(self, alone: Path) -> None:
        (alone / "kept").write_text(checkpoint(4))

        status, said = run(alone, export(), "--key", SIGNER.vkey, "--previous", "kept")

        assert (status, said) == (0, "OK: 9 events, 0 skeletons, proven to 9\n")

    @pytest.mark.servers
    def test_the_bundled_script_checks_a_stored_proof(self, alone: Path) -> None:
        (alone / "kept").write_text(checkpoint(9))
        options = ("--key", SIGNER.vkey, "--previous", "kept")
        for proof, told in ((inclusion(), "event 3"), (consistency(), "the first 9 events")):
            stored = [json.dumps(proof, indent=1).encode()]
            forged = [stored[0].replace(b'"proof": [', b'"proof": ["' + b"0" * 64 + b'",')]

            assert run(alone, stored, *options)[1].startswith(f"OK: {told}")
            assert run(alone, forged, *options)[0] == 1

    @pytest.mark.servers
    def test_the_bundled_script_names_the_altered_line(self, alone: Path) -> None:
        *lines, _ = export()
        item = entry(6)
        lines[6] = event_line(item._replace(state=item.state.replace(b"e6", b"e7")))

        status, said = run(alone, closed(lines), "--key", SIGNER.vkey)

        assert status == 1
        assert said.startswith("line 7, seq 6: the state does not match its hash\nNOT OK")
        assert "proven" not in said.splitlines()[-1]

    def test_the_bundled_script_imports_nothing_from_the_project(self, alone: Path) -> None:
        imports = [line for line in bundle().splitlines() if line.startswith(("import ", "from "))]
        roots = {line.split()[1].partition(".")[0] for line in imports}

        assert roots - set(sys.stdlib_module_names) == {"cryptography"}

    def test_the_script_is_not_bundled_if_two_modules_define_the_same_name(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(audit.bundle, "MODULES", ("merkle", "note", "bundle", "verify"))
        monkeypatch.setattr(audit.bundle, "_defined", lambda _: {"same"})

        with pytest.raises(ValueError, match="same is defined in merkle and in note"):
            bundle()


class TestCommandLine:
    def test_the_script_reads_the_given_file(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "export.jsonl"
        path.write_bytes(b"".join(export()))

        assert main([str(path)]) == 0
        assert f"key was taken from the file itself: {SIGNER.vkey}" in capsys.readouterr().out

    def test_the_script_trusts_only_the_given_key(self, tmp_path: Path) -> None:
        path = tmp_path / "export.jsonl"
        path.write_bytes(b"".join(export()))

        assert main([str(path), "--key", STRANGER.vkey]) == 1
        assert main([str(path), "--key", "nonsense"]) == 1

    def test_the_script_names_a_file_that_cannot_be_read(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        kept = tmp_path / "kept"
        kept.write_text(checkpoint(4, STRANGER))

        assert main([str(tmp_path / "none")]) == 2
        assert "none" in capsys.readouterr().err
        assert main(["x", "--key", SIGNER.vkey, "--previous", str(kept)]) == 2
        assert "has not signed" in capsys.readouterr().err

    def test_the_script_requires_a_key_with_a_previous_checkpoint(self) -> None:
        with pytest.raises(SystemExit, match="2"):
            main(["x", "--previous", "kept"])
