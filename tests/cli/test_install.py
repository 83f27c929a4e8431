"""Given a checkout, when it is started first, again, or after an interruption, then it has its environment."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cli import install
from cli.install import InstallError, main

WANTED = {"requirements.txt": "1 2"}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was made and installed; nothing really is."""
    done: list[str] = []

    def make(venv: Path, uv: str | None) -> None:
        (venv / "bin").mkdir(parents=True)
        (venv / "bin" / "python").symlink_to(sys.executable)
        done.append("made")

    def put(venv: Path, requirements: list[Path], uv: str | None) -> None:
        done.extend(path.name for path in requirements)

    monkeypatch.setattr(install, "_make", make)
    monkeypatch.setattr(install, "_install", put)
    return done


def test_the_first_start_installs_and_the_second_does_not(tmp_path: Path, calls: list[str]) -> None:
    main(tmp_path, WANTED)
    main(tmp_path, WANTED)
    assert calls == ["made", "requirements.txt"]


def test_changed_requirements_are_installed_into_what_is_there(tmp_path: Path, calls: list[str]) -> None:
    main(tmp_path, WANTED)
    main(tmp_path, {"requirements.txt": "3 4"})
    assert calls == ["made", "requirements.txt", "requirements.txt"]


def test_the_tools_come_with_the_rest(tmp_path: Path, calls: list[str]) -> None:
    main(tmp_path, WANTED | {"requirements-dev.txt": "5 6"})
    main(tmp_path, WANTED)
    assert calls == ["made", "requirements.txt", "requirements-dev.txt"]


def test_what_was_interrupted_is_thrown_away(tmp_path: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(install, "_install", interrupt)
        with pytest.raises(KeyboardInterrupt):
            main(tmp_path, WANTED)
    (tmp_path / ".venv" / "half").touch()
    main(tmp_path, WANTED)
    assert calls == ["made", "made", "requirements.txt"]
    assert not (tmp_path / ".venv" / "half").exists()


def test_a_failure_that_changed_nothing_keeps_what_was_there(
    tmp_path: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main(tmp_path, WANTED)

    def fail(*_: object) -> None:
        raise InstallError("no network", harmless=True)

    with monkeypatch.context() as patch:
        patch.setattr(install, "_install", fail)
        with pytest.raises(InstallError):
            main(tmp_path, {"requirements.txt": "3 4"})
    main(tmp_path, WANTED)
    assert calls == ["made", "requirements.txt"]


def test_a_python_that_was_taken_away_is_replaced(tmp_path: Path, calls: list[str]) -> None:
    main(tmp_path, WANTED)
    python = tmp_path / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/no/such/python")
    main(tmp_path, {"requirements.txt": "3 4"})
    assert calls == ["made", "requirements.txt", "made", "requirements.txt"]


def test_two_at_once_install_once(tmp_path: Path, calls: list[str]) -> None:
    starts = [threading.Thread(target=main, args=[tmp_path, WANTED]) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert calls == ["made", "requirements.txt"]


def test_a_failing_installer_is_quoted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = "print('Looking in indexes: https://secret@host'); print('ERROR: no such package'); raise SystemExit(1)"
    with pytest.raises(InstallError) as error:
        install._run([sys.executable, "-c", script], "the packages could not be installed")
    assert str(error.value) == "the packages could not be installed:\n  ERROR: no such package"
    assert error.value.harmless
    assert "secret" not in capsys.readouterr().err


def test_a_real_environment_without_packages(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    command = [sys.executable, "-I", install.__file__, str(tmp_path), "requirements.txt=1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "making .venv" in done.stderr
    assert (tmp_path / ".venv" / "bin" / "python").exists()
    assert subprocess.run(command, check=False, capture_output=True, text=True).stderr == ""
