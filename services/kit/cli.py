"""The one command line: `opora up`, `opora demo`, `opora <service> serve | work | migrate | …`.

Services are named by dotted strings and imported when asked for: the kit knows none of them.
"""

import asyncio
import importlib
import json
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from services.kit.bootstrap import BootstrapError, bootstrap
from services.kit.embedded import EmbeddedError
from services.kit.installation import SERVICES, Installation, InstallationError, Secrets

if TYPE_CHECKING:
    from services.kit import audit_chain
    from services.kit.service import Service
    from services.kit.settings import ServiceSettings

__all__ = ["application", "main", "service_named"]

MODULES = {
    "gateway": "gateway.app",
    "registry": "services.registry.app",
    "indicators": "services.indicators.app",
    "monitoring": "services.monitoring.app",
    "training": "services.training.app",
}
"""Where each service declares itself: `SERVICE`. A new service is one line here and one in SERVICES."""

_Settings = TypeVar("_Settings", bound=BaseSettings)

application = typer.Typer(
    name="opora",
    help="Опора: находит школы региона, которым нужна поддержка, и помогает их поддержать.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; what an operator can put right is told in words, not as a traceback."""
    try:
        application()
    except (InstallationError, EmbeddedError, BootstrapError) as refused:
        sys.exit(str(refused))


def service_named(name: str) -> "Service":
    """Return the declaration of a service."""
    declared: Service = importlib.import_module(MODULES[name]).SERVICE
    return declared


@application.command()
def up(
    *,
    once_ready: Annotated[
        bool, typer.Option("--once-ready", help="Остановиться, как только всё запустилось")
    ] = False,
) -> None:
    """Запустить всю систему на этой машине и держать её, пока не остановят."""
    from services.kit.supervisor import running

    with _until_stopped(), running(_installation(), tell=_say) as system:
        if not once_ready:
            system.wait()
    _say("Опора остановлена")


@application.command()
def demo(
    *, once: Annotated[bool, typer.Option("--once", help="Остановиться после показа")] = False
) -> None:
    """Запустить систему, создать показательный регион и выполнить на нём главную работу."""
    from services.kit.supervisor import running

    story = importlib.import_module("demo.story")
    with _until_stopped(), running(_installation(), tell=_say) as system:
        outcome = story.run(system, once=once)
        if asyncio.iscoroutine(outcome):
            asyncio.run(outcome)
        if not once:
            system.wait()
    _say("Опора остановлена")


@application.command("bootstrap")
def bootstrap_command() -> None:
    """Создать роли и базы на сервере из OPORA_DATABASE_URL; повторный запуск ничего не портит."""
    asyncio.run(_bootstrap(_installation()))


@application.command(hidden=True)
def prepare(report: Path) -> None:
    """Роли, базы, миграции; в файл записать, каким службам нужен обработчик заданий."""
    workers = asyncio.run(_prepare(_installation()))
    report.write_text(json.dumps({"workers": workers}), encoding="utf-8")


@application.command()
def contracts(
    directory: Annotated[Path, typer.Argument(help="Куда записать документы")] = Path("openapi"),
) -> None:
    """Записать openapi/<служба>.json всех служб, общий openapi/opora.json и problems.md."""
    from services.kit.contracts import document, merge, problem_list

    documents = {name: document(service_named(name)) for name in MODULES}
    for name, content in (*documents.items(), ("opora", merge(documents))):
        (directory / f"{name}.json").write_text(_as_json(content), encoding="utf-8")
    (directory / "problems.md").write_text(problem_list(), encoding="utf-8")


async def _bootstrap(installation: Installation) -> None:
    if installation.database_url is None:
        raise InstallationError(
            "Укажите адрес сервера с правами администратора в OPORA_DATABASE_URL."
        )
    installation.data_dir.mkdir(parents=True, exist_ok=True)
    passwords = Secrets.of(installation.data_dir).databases
    await bootstrap(
        installation.database_url.get_secret_value(),
        {service: passwords[service] for service in installation.services},
    )


async def _prepare(installation: Installation) -> list[str]:
    from services.kit.migrations import upgrade

    if installation.database_url is not None:
        await _bootstrap(installation)
    workers = []
    for name in installation.services:
        service = service_named(name)
        if owner_url := _settings(service).owner_database_url:
            await upgrade(service, owner_url.get_secret_value())
        if service.has_work:
            workers.append(name)
    return workers


def _commands_of(name: str) -> typer.Typer:
    """Return the command group of one service."""
    group = typer.Typer(name=name, help=f"Служба {name}", no_args_is_help=True)

    @group.command()
    def serve(
        host: Annotated[str, typer.Option(help="Адрес, на котором слушать")] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="Порт")] = 8000 + SERVICES.index(name),
    ) -> None:
        """Отвечать на запросы HTTP."""
        from services.kit import serving

        serving.serve(_application_of(name), host, port)

    @group.command()
    def work() -> None:
        """Выполнять задания, следить за лентами соседей и делать регулярные дела до SIGTERM."""
        import uvloop

        from services.kit.jobs import work

        service = service_named(name)
        uvloop.run(work(service, _settings(service)))

    @group.command()
    def migrate() -> None:
        """Привести схему базы к последней версии (под ролью владельца)."""
        from services.kit.migrations import upgrade

        service = service_named(name)
        asyncio.run(upgrade(service, _owner_url(service)))

    @group.command()
    def migration(message: Annotated[str, typer.Argument(help="Что делает миграция")]) -> None:
        """Написать новую миграцию по разнице между кодом и базой."""
        from services.kit.migrations import autogenerate

        service = service_named(name)
        asyncio.run(autogenerate(service, message, _owner_url(service)))

    @group.command()
    def job(
        kind: Annotated[str, typer.Argument(help="Вид задания")],
        region: Annotated[int, typer.Option(help="Номер региона")],
        params: Annotated[str, typer.Option(help="Параметры, JSON")] = "{}",
    ) -> None:
        """Поставить задание в очередь; выполнит его обработчик службы."""
        service = service_named(name)
        known = [known.name for known in service.jobs]
        if kind not in known:
            raise InstallationError(f"Нет задания «{kind}». Есть: {', '.join(known) or 'никаких'}.")
        print(asyncio.run(_enqueue(_settings(service), kind, region, json.loads(params))))

    if name == "gateway":
        _add_keys(group)

    @group.command()
    def openapi() -> None:
        """Напечатать контракт службы."""
        from services.kit.contracts import document

        print(_as_json(document(service_named(name))), end="")

    _add_audit_commands(group, name)
    return group


def _add_audit_commands(group: typer.Typer, name: str) -> None:
    @group.command("verify-audit")
    def verify_audit(
        kept: Annotated[
            str | None,
            typer.Option(help="Конец цепочки, записанный раньше: МЕСТО:ХЕШ"),
        ] = None,
    ) -> None:
        """Проверить, что записи аудита не изменены, не удалены, не вставлены и не переставлены."""
        expected = _kept_head(kept)
        verdict = asyncio.run(_verify_audit(_settings(service_named(name)), expected))
        end = f"{verdict.head.position}:{verdict.head.hash.hex()}"
        if verdict.broken is not None:
            broken = verdict.broken
            raise InstallationError(
                f"{name}: цепочка аудита нарушена: {broken.what.value}, место {broken.position}, "
                f"запись {broken.entry_id}. Цело до места {verdict.checked_to}; конец {end}"
            )
        print(f"{name}: цепочка аудита цела, конец {end}")

    @group.command("export-audit")
    def export_audit(
        after: Annotated[int, typer.Option(help="После какого места; 0: с начала")] = 0,
    ) -> None:
        """Напечатать цепочку аудита, по строке JSON на запись: её можно проверить без Опоры."""
        asyncio.run(_export_audit(_settings(service_named(name)), after))


def _add_keys(group: typer.Typer) -> None:
    """Add what the gateway alone has."""

    @group.command("rotate-keys")
    def rotate_keys(
        *,
        revoke: Annotated[
            str | None,
            typer.Option(help="Номер ключа, секрет которого мог стать известен: отозвать его"),
        ] = None,
    ) -> None:
        """Передать подпись токенов следующему ключу; с --revoke отозвать ключ немедленно."""
        from services.kit.problems import Problem

        rotating = importlib.import_module("gateway.keys.rotating")
        try:
            _say(asyncio.run(rotating.replace_keys(_settings(service_named("gateway")), revoke)))
        except Problem as refused:
            raise InstallationError(f"{refused.title}. {refused.hint or ''}".strip()) from None


for _name in SERVICES:
    application.add_typer(_commands_of(_name))


async def _enqueue(
    settings: "ServiceSettings", kind: str, region_id: int, params: dict[str, Any]
) -> int:
    from services.kit.database import open_database
    from services.kit.jobs import enqueue
    from services.kit.reach import Reach

    database = open_database(settings)
    try:
        async with database.transaction(Reach.region(region_id, "operator")) as session:
            return await enqueue(session, kind=kind, region_id=region_id, params=params)
    finally:
        await database.engine.dispose()


def _kept_head(kept: str | None) -> tuple[int, bytes] | None:
    if kept is None:
        return None
    position, _, hash_ = kept.partition(":")
    try:
        return int(position), bytes.fromhex(hash_)
    except ValueError:
        raise InstallationError(
            "Конец цепочки пишется так: МЕСТО:ХЕШ, например 311:9f86d0…"
        ) from None


async def _verify_audit(
    settings: "ServiceSettings", kept: tuple[int, bytes] | None
) -> "audit_chain.Verdict":
    from services.kit import audit_chain
    from services.kit.database import open_database
    from services.kit.reach import Reach

    database = replace(open_database(settings), statement_timeout_ms=0)
    try:
        async with database.transaction(Reach.system("operator")) as session:
            return await audit_chain.verify(session, kept=kept)
    finally:
        await database.engine.dispose()


async def _export_audit(settings: "ServiceSettings", after: int) -> None:
    from services.kit import audit_chain
    from services.kit.database import open_database
    from services.kit.reach import Reach

    database = replace(open_database(settings), statement_timeout_ms=0)
    try:
        async with database.transaction(Reach.system("operator")) as session:
            async for link in audit_chain.export(session, after=after):
                print(json.dumps(link, ensure_ascii=False))
    finally:
        await database.engine.dispose()


def _application_of(name: str) -> Any:
    """Return the ASGI application; a module may wrap what `build` makes (the gateway's forwarder)."""
    from services.kit.service import build

    module = importlib.import_module(MODULES[name])
    make: Callable[[ServiceSettings], Any] | None = getattr(module, "application", None)
    settings = _settings(module.SERVICE)
    return make(settings) if make is not None else build(module.SERVICE, settings)


def _settings(service: "Service") -> "ServiceSettings":
    return _read(service.settings, f"OPORA_{service.name.upper()}_")


def _installation() -> Installation:
    return _read(Installation, "OPORA_")


def _read(settings: type[_Settings], prefix: str) -> _Settings:
    """Read settings from the environment; name every variable that is missing or wrong at once."""
    try:
        return settings()
    except ValidationError as refused:
        lines = [
            f"  {prefix}{'_'.join(str(part) for part in error['loc'][:1]).upper()}: "
            + ("не задано" if error["type"] == "missing" else error["msg"])
            for error in refused.errors(include_input=False, include_url=False)
        ]
        raise InstallationError("\n".join(["Неверные настройки:", *lines])) from None


def _owner_url(service: "Service") -> str:
    url = _settings(service).owner_database_url
    if url is None:
        raise InstallationError(
            f"Укажите базу под ролью владельца в OPORA_{service.name.upper()}_OWNER_DATABASE_URL."
        )
    return url.get_secret_value()


_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _until_stopped:  # noqa: N801 - reads as a sentence where it is used
    """Ctrl-C, SIGTERM and a closed terminal end the block quietly; once begun, more of them change nothing."""

    def __enter__(self) -> None:
        for asked in _ENDING:
            signal.signal(asked, self._end)

    def _end(self, number: int, frame: object) -> None:
        del number, frame
        for asked in _ENDING:
            signal.signal(asked, signal.SIG_IGN)
        _say("Останавливаюсь: завершаю начатые запросы")
        raise KeyboardInterrupt

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> bool:
        return kind is KeyboardInterrupt


def _say(line: str) -> None:
    # A closed terminal or pipe takes no more words; the system works on.
    with suppress(OSError):
        print(line, flush=True)


def _as_json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    main()
