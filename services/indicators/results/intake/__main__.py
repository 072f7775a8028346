"""Run the intake of one table: task on the first line of stdin, then the bytes of the upload."""

import io
import json
import os
import resource
import sys
from typing import Any, BinaryIO

# One thread: the child shares the machine with the service that feeds it.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

MEMORY = 2 * 1024**3
CPU_SECONDS = 300


def _limit() -> None:
    """Bound what a hostile file can cost."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main(stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Read a task and an upload; write frames. Errors leave without the text that caused them."""
    from services.indicators.results.intake import frames
    from services.indicators.results.intake.flow import Task, run
    from services.indicators.results.intake.refusals import Refusal

    document: dict[str, Any] = json.loads(stdin.readline())
    try:
        run(Task.of(document), stdin, stdout)
    except Refusal as refusal:
        frames.write_json(stdout, frames.Kind.REFUSAL, refusal.document())
    except MemoryError:
        bomb = Refusal(
            "file-too-heavy",
            "Для чтения файла не хватило отведённой памяти.",
            "Разделите файл на части или загрузите его как CSV.",
        )
        frames.write_json(stdout, frames.Kind.REFUSAL, bomb.document())
    except Exception as error:  # noqa: BLE001  its text may quote the file: only the kind leaves
        broken = Refusal(
            "file-unreadable",
            "Файл не удалось прочитать.",
            "Выгрузите файл заново; если не поможет, загрузите его как CSV.",
            {"kind": type(error).__name__},
        )
        frames.write_json(stdout, frames.Kind.REFUSAL, broken.document())
        return 1
    return 0


if __name__ == "__main__":
    _limit()
    # Nothing may leave by another way: what a library prints could quote the file.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with io.BufferedWriter(io.FileIO(1, "wb"), 1 << 20) as out:
        sys.exit(main(sys.stdin.buffer, out))
