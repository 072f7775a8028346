"""`opora demo --once`: from an empty directory to the published list, and nothing twice at the next start."""

import os
import re
import stat
import subprocess
import sys

import pytest

pytestmark = pytest.mark.system


def _demo(directory):
    """Run the demonstration to its end; return what it printed."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("OPORA_")
    }
    environment |= {
        "OPORA_DATA_DIR": str(directory),
        "OPORA_PORT": "0",
        "OPORA_DURABLE": "false",
    }
    done = subprocess.run(
        [sys.executable, "-m", "services.kit.cli", "demo", "--once"],
        cwd=directory.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the first and the second start of one installation printed, and its directory."""
    directory = tmp_path_factory.mktemp("demo") / "data"
    return _demo(directory), _demo(directory), directory


def test_the_demonstration_ends_with_table_5_and_the_reasons_of_a_school(told):
    first, _, directory = told

    assert "ИТОГО 75/38/30/7: муниципалитетов 27" in first
    assert re.search(r"ИТОГО\s*│\s*75 │\s*38 │\s*30 │\s*7 │", first)
    assert "Почему в списке" in first
    assert re.search(r"Импорт № \d+, файл [0-9a-f]{12}…, строки \d+–\d+", first)
    assert (directory / "demo" / "opora-list-2026.xlsx").stat().st_size > 5000


def test_every_user_sees_only_its_own_schools(told):
    first, _, _ = told

    assert "Регион: школ 360, из них в списке 75" in first
    assert "Муниципалитет: школ 7, из них в списке 2" in first
    assert "Куратор: школ 3, из них в списке 3" in first
    assert "Школа: школ 1, из них в списке 1" in first
    assert "Школа спрашивает о соседней: 404" in first


def test_a_second_start_imports_nothing_and_shows_the_same_list(told):
    first, second, _ = told

    totals = re.compile(r"Всего в регионе: (.*)")
    listed = re.compile(r"│.*│")
    assert totals.findall(first) == totals.findall(second)
    assert "импортов школ 1, импортов результатов 6, прогонов 1, участий 75" in second
    assert listed.findall(first) == listed.findall(second)
    assert second.count("загружено раньше") == 6


def test_passwords_are_for_the_owner_only(told):
    directory = told[2] / "demo"

    for name in ("accounts.json", "commands.sh"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
