"""What several commands share: the data folder, and settings that children see too."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from fleet.kit.settings import Settings

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder with everything that the server keeps.")
]


def settings(**overrides: object) -> Settings:
    """Settings with the command's own options in the environment, so that children see them too."""
    for name, value in overrides.items():
        if value is not None:
            text = value.isoformat() if isinstance(value, datetime) else str(value)
            os.environ[f"SAFAI_{name.upper()}"] = text
    return Settings()
