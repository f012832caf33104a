"""The process that answers people holds no interpreter lock for minutes."""

from __future__ import annotations

import subprocess
import sys


def test_the_web_process_imports_neither_solver_bindings_nor_a_compiler() -> None:
    code = "import sys, fleet.main.app; print([m for m in ('numba', 'osrm') if m in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip().endswith("[]")
