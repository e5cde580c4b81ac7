"""The other side of the bench: the script a district analyst would write, all measures from all files, in pandas.

It shares no code with the product. Policy `rates`: watch from 5%, Tier 2 from 10% with 3 absences, Tier 3 from 20%
with 5, all from 20 enrolled days on.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

NO_SHOW = {"no show", "invalid enrollment", "99"}
HELD_OUT = {"homebound", "hospital", "non_membership"}


def apart(folder: Path, days: Sequence[Path], feed: str) -> dict[str, tuple[str, str, str]] | None:
    """The script in a process of its own, with the start of Python in its time as in anybody's; None where the system
    ended it for want of memory."""
    words = [sys.executable, "-m", __name__, str(folder), feed, *map(str, days)]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=False)
    if done.returncode == -signal.SIGKILL:
        return None
    done.check_returncode()
    return {student: (enrolled, absent, tier) for student, (enrolled, absent, tier) in json.loads(done.stdout).items()}


def main(folder: str, feed: str, *days: str) -> None:
    """Print the measures. Where memory ends, this process ends first, and neither the servers nor the measurement."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    json.dump(measures_by_pandas(Path(folder), [Path(day) for day in days], feed), sys.stdout)


def measures_by_pandas(folder: Path, days: Sequence[Path], feed: str) -> dict[str, tuple[str, str, str]]:
    """Student -> (enrolled days, absent days, tier) as text."""
    member = _member_days(folder)
    member = member.merge(_covered(folder, days), on=["school_id", "date"])
    marks = _marks(folder, days)
    known = member.merge(marks, on=["student_id", "school_id", "date"], how="left", indicator=True)
    if feed == "full":
        known = known[known["_merge"] == "both"]
    known = known[~known["unknown"].fillna(False).astype(bool)]
    known = known[~known["kind"].isin(HELD_OUT)]
    known["absent"] = known["absent"].fillna(0).astype(int)
    once = known.groupby(["student_id", "date"], as_index=False).agg(absent=("absent", "min"))
    total = once.groupby("student_id").agg(enrolled=("date", "size"), absent=("absent", "sum"))
    everyone = pd.read_csv(folder / "enrollments.csv", dtype=str)["student_id"].unique()
    total = total.reindex(everyone, fill_value=0)
    total["enrolled"] *= 1000
    total["tier"] = _tier(total["enrolled"].to_numpy(), total["absent"].to_numpy())
    return {
        student: (_days(enrolled), _days(absent), tier)
        for student, enrolled, absent, tier in zip(
            total.index, total["enrolled"], total["absent"], total["tier"], strict=True
        )
    }


def _member_days(folder: Path) -> pd.DataFrame:
    """(student, school, date) of every instructional day inside an enrolment."""
    stints = pd.read_csv(folder / "enrollments.csv", dtype=str, keep_default_na=False)
    stints = stints[~stints["exit_code"].str.lower().isin(NO_SHOW)]
    calendar = pd.read_csv(folder / "calendar.csv", dtype=str, keep_default_na=False)
    calendar = calendar[calendar["day_type"].isin(["instructional", "make_up"])]
    calendar = calendar[["school_id", "date"]].drop_duplicates()
    stints["last"] = stints["exit_date"].replace("", "9999-12-31")
    stints = _boundary(stints)
    days = stints.merge(calendar, on="school_id")
    inside = (days["date"] >= days["entry_date"]) & (days["date"] <= days["last"])
    return days.loc[inside, ["student_id", "school_id", "date"]].drop_duplicates()


def _boundary(stints: pd.DataFrame) -> pd.DataFrame:
    """A day shared by a leaving and an arriving school belongs to the arriving one."""
    pairs = stints.merge(
        stints, left_on=["student_id", "last"], right_on=["student_id", "entry_date"], suffixes=("", "_b")
    )
    pairs = pairs[(pairs["school_id"] != pairs["school_id_b"]) & (pairs["entry_date"] < pairs["entry_date_b"])]
    shared = set(zip(pairs["student_id"], pairs["school_id"], pairs["entry_date"], strict=True))
    keys = list(zip(stints["student_id"], stints["school_id"], stints["entry_date"], strict=True))
    before = (pd.to_datetime(stints["last"].replace("9999-12-31", "2200-01-01")) - pd.Timedelta(days=1)).dt.strftime(
        "%Y-%m-%d"
    )
    stints["last"] = np.where([key in shared for key in keys], before, stints["last"])
    return stints


def _covered(folder: Path, days: Sequence[Path]) -> pd.DataFrame:
    """School-days for which attendance came."""
    files = [day.with_name(day.name.replace("attendance-", "covers-")) for day in days]
    frames = [pd.read_csv(file, dtype=str) for file in files if file.exists()]
    return pd.concat(frames)[["school_id", "date"]].drop_duplicates()


def _marks(folder: Path, days: Sequence[Path]) -> pd.DataFrame:
    """The mark that stands for each student, school and date: the newest change wins."""
    rows = pd.concat(
        [pd.read_csv(day, dtype=str, keep_default_na=False).assign(file=number) for number, day in enumerate(days)]
    )
    order = ["last_modified", "file"] if "last_modified" in rows else ["file"]
    rows = rows.sort_values(order, kind="stable").drop_duplicates(["student_id", "school_id", "date"], keep="last")
    codes = pd.read_csv(folder / "absence_codes.csv", dtype=str, keep_default_na=False)
    codes = codes[codes["school_id"] == ""] if "school_id" in codes else codes
    rows = rows.merge(codes[["code", "kind", "absent_fraction"]], on="code", how="left")
    rows["unknown"] = rows["kind"].isna()
    share = pd.to_numeric(rows["absent_fraction"], errors="coerce").fillna(0)
    rows["absent"] = (share * 1000).round().astype(int)
    return rows[["student_id", "school_id", "date", "kind", "absent", "unknown"]]


def _tier(enrolled: np.ndarray, absent: np.ndarray) -> list[str]:
    enough = enrolled >= 20_000
    lines = [
        (enrolled == 0, "none"),
        (enough & (absent * 5 >= enrolled) & (absent >= 5_000), "3"),
        (enough & (absent * 10 >= enrolled) & (absent >= 3_000), "2"),
        (enough & (absent * 20 >= enrolled), "watch"),
    ]
    return list(np.select([line for line, _ in lines], [tier for _, tier in lines], "1"))


def _days(mils: int) -> str:
    return f"{mils / 1000:.3f}".rstrip("0").rstrip(".")


if __name__ == "__main__":
    main(*sys.argv[1:])
