"""What the region sees at the end: the list by municipality, one school's reasons, a school user's view."""

from pathlib import Path
from typing import Any

from rich.table import Table

from demo.client import Refused
from demo.commands import login_line
from demo.following import TRAINING, WAVES
from demo.founding import (
    ANALYST,
    APPROVER,
    CURATOR,
    MACHINE,
    MUNICIPALITY,
    REGISTRY,
    SCHOOL,
    Ground,
)
from demo.identifying import RUNS
from demo.importing import INDICATORS
from demo.stage import YEAR, Stage

__all__ = ["tell"]


def tell(stage: Stage, ground: Ground, run: dict[str, Any]) -> None:
    """Print everything; the workbook goes to the data directory."""
    path = f"{RUNS}/{run['id']}"
    analyst = stage.person(ANALYST)
    listed = analyst.get(f"{path}/list")
    _list(stage, listed)
    workbook = stage.directory / f"opora-list-{YEAR}.xlsx"
    workbook.write_bytes(analyst.download(f"{path}/list.xlsx"))
    _trace(stage, analyst.get(f"{path}/schools/{ground.schools[ground.shown]}/trace"))
    _reach(stage, ground, run)
    _totals(stage)
    _try(stage, ground, run, workbook)


def _list(stage: Stage, listed: dict[str, Any]) -> None:
    columns = listed["categories"]
    table = Table(
        title=f"Список школ {YEAR - 1}/{YEAR} учебного года, приказ {listed['order_number']}",
        show_footer=True,
        title_justify="left",
    )
    totals = listed["totals"]
    table.add_column("Муниципалитет", footer="ИТОГО")
    table.add_column("Всего", justify="right", footer=str(totals["total"]))
    for column in columns:
        footer = str(totals["by_category"].get(column["code"], 0))
        table.add_column(column["title"], justify="right", footer=footer)
    for place in listed["municipalities"]:
        counts = [place["by_category"].get(column["code"], 0) for column in columns]
        table.add_row(place["name"], str(place["total"]), *(str(n) if n else "" for n in counts))
    stage.console.print()
    stage.console.print(table)
    numbers = [totals["total"], *(totals["by_category"].get(c["code"], 0) for c in columns)]
    stage.console.print(
        f"ИТОГО {'/'.join(str(number) for number in numbers)}: муниципалитетов "
        f"{len(listed['municipalities'])}, методика «{listed['methodology_title']}»",
        highlight=False,
    )


def _trace(stage: Stage, trace: dict[str, Any]) -> None:
    school = trace["school"]
    say = stage.console.print
    say()
    say(f"[bold]Почему в списке: {school['name']}[/] (код {school['code']})", highlight=False)
    for sentence in trace["sentences"]:
        say(f"  {sentence}", highlight=False)
    say("  Откуда числа:")
    for procedure in trace["procedures"]:
        if procedure["state"] == "counted":
            _evidence(stage, procedure)


def _evidence(stage: Stage, procedure: dict[str, Any]) -> None:
    """Print what a procedure's verdict rests on, down to the rows of the file."""
    say = stage.console.print
    judged, threshold = procedure["judged"], procedure["threshold"]
    say(
        f"    {procedure['title']}: {judged['numerator']} из {judged['denominator']}; порог "
        f"{threshold['operator']} {threshold['share']}, то есть от {threshold['possible_from']} "
        f"человек, устойчиво от {threshold['certain_from']}",
        highlight=False,
    )
    for subject in procedure["subjects"]:
        if subject["is_mass"]:
            say(
                f"      {subject['title']}: участников {subject['n']}, ниже минимума "
                f"({subject['minimum']}) {subject['failed']}",
                highlight=False,
            )
    for source in procedure["sources"]:
        files = ", ".join(f"{str(file['sha256'])[:12]}…" for file in source["files"])
        say(
            f"      Импорт № {source['import_id']}, файл {files}, строки {source['first_row']}–"
            f"{source['last_row']}, из них строк школы {source['rows']}",
            highlight=False,
        )


def _reach(stage: Stage, ground: Ground, run: dict[str, Any]) -> None:
    """Show that each user sees its own schools and nothing else."""
    say = stage.console.print
    say()
    say("[bold]Кто что видит[/]")
    neighbour = next(code for code in ground.schools if code != ground.shown)
    for login, who in (
        (ANALYST, "Регион"),
        (MUNICIPALITY, "Муниципалитет"),
        (CURATOR, "Куратор"),
        (SCHOOL, "Школа"),
    ):
        person = stage.person(login)
        schools = person.get(f"{REGISTRY}/schools", limit=1, count=True)["total"]
        path = f"{RUNS}/{run['id']}/schools"
        listed = person.get(path, limit=1, count=True, is_listed=True)["total"]
        say(f"  {who}: школ {schools}, из них в списке {listed}", highlight=False)
    try:
        stage.person(SCHOOL).get(f"{REGISTRY}/schools/{ground.schools[neighbour]}")
    except Refused as refused:
        say(f"  Школа спрашивает о соседней: {refused.status}, {refused}", highlight=False)


def _totals(stage: Stage) -> None:
    """Count what there is, so that a second start shows that nothing came twice."""
    analyst = stage.person(ANALYST)
    counts = {
        what: analyst.get(path, limit=1, count=True)["total"]
        for what, path in (
            ("импортов школ", f"{REGISTRY}/school-imports"),
            ("импортов результатов", f"{INDICATORS}/imports"),
            ("прогонов", RUNS),
            ("участий", f"{REGISTRY}/participations"),
            ("волн", WAVES),
            ("курсов", f"{TRAINING}/courses"),
        )
    }
    told = ", ".join(f"{what} {count}" for what, count in counts.items())
    stage.console.print(f"\nВсего в регионе: {told}", highlight=False)


def _try(stage: Stage, ground: Ground, run: dict[str, Any], workbook: Path) -> None:
    say = stage.console.print
    base = str(stage.http.base_url).rstrip("/")
    say()
    say("[bold]Попробуйте сами[/]")
    say(f"  Адрес:      {base} (описание API: {base}/api/docs)", highlight=False)
    say(f"  Список:     {workbook}", highlight=False, soft_wrap=True)
    say(f"  Файлы:      {stage.directory}/*.csv", highlight=False, soft_wrap=True)
    say(f"  Все вызовы:  OPORA={base} sh {stage.commands.path}", highlight=False, soft_wrap=True)
    say("  Пользователи (пароли только этой установки):")
    for login in (ANALYST, APPROVER, MUNICIPALITY, SCHOOL, CURATOR):
        say(f"    {login:<20} {stage.keepsake.password(login)}", highlight=False, markup=False)
    say(f"    {MACHINE:<20} {stage.keepsake.secret(MACHINE)}", highlight=False, markup=False)
    say("  Войти и посмотреть:")
    school = f"{RUNS}/{run['id']}/schools/{ground.schools[ground.shown]}"
    for line in (
        f"OPORA={base}",
        login_line("TOKEN", stage.person(ANALYST).grant),
        f'curl -sS "$OPORA{RUNS}/{run["id"]}/list" -H "Authorization: Bearer $TOKEN"',
        f'curl -sS "$OPORA{school}/trace" -H "Authorization: Bearer $TOKEN"',
        f'curl -sS "$OPORA{school}/sheet" -H "Authorization: Bearer $TOKEN" > sheet.html',
        (
            f'curl -sS "$OPORA{RUNS}/{run["id"]}/sensitivity?setting=/low_result/threshold'
            '&value=1/5&value=1/4&value=3/10&value=2/5" -H "Authorization: Bearer $TOKEN"'
        ),
        f'curl -sS "$OPORA{REGISTRY}/schools?count=true" -H "Authorization: Bearer $TOKEN"',
    ):
        say(f"    {line}", highlight=False, markup=False, soft_wrap=True)
