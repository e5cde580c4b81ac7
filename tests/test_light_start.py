"""What serves pages starts without the library that only training needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

STARTED = """
import importlib, pkgutil, sys
import ew_app.factory, ew_app.web
ew_app.factory.create_app()
for one in pkgutil.iter_modules(ew_app.web.__path__, "ew_app.web."):
    importlib.import_module(one.name)
import rules.risk.card, rules.risk.reasons
from ew_app.services.risk import reading, scoring
print(",".join(sorted(name for name in sys.modules if name.partition(".")[0] in ("sklearn", "scipy", "joblib"))))
"""


def test_the_web_process_loads_no_scikit_learn_and_scoring_needs_none(tmp_path: Path) -> None:
    nowhere = {
        "EW_DATA_DIR": str(tmp_path),
        "EW_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none",
        "EW_REDIS_URL": "redis://127.0.0.1:1/0",
        "EW_SECRET_KEY": "only-for-this-test-and-never-anywhere-else",
    }
    words = [sys.executable, "-c", STARTED]
    done = subprocess.run(words, env={**os.environ, **nowhere}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
