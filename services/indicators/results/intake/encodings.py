"""Which encoding a text is in, and its blocks as UTF-8: files come as UTF-8, with a mark, or cp1251."""

from dataclasses import dataclass

from services.indicators.results.intake.refusals import Refusal

_MARK = b"\xef\xbb\xbf"
_EXPECTED = "Ожидается UTF-8 (с меткой или без) или Windows-1251."
_REMEDY = "Сохраните файл как «CSV UTF-8» и загрузите снова."


@dataclass
class Decoder:
    """Turns blocks of one file into UTF-8; decides at the first block that is not plain ASCII."""

    name: str = "ascii"

    def start(self, block: bytes) -> bytes:
        """Look at the beginning of the file; gives it back without its byte order mark."""
        if block.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise Refusal("encoding-unsupported", f"Файл в кодировке UTF-16. {_EXPECTED}", _REMEDY)
        if block.startswith(b"PK\x03\x04"):
            raise Refusal(
                "format-unexpected",
                "Это книга XLSX или архив, а заявлен CSV.",
                "Укажите Content-Type application/vnd.openxmlformats-officedocument"
                ".spreadsheetml.sheet или сохраните лист как CSV.",
            )
        if b"\0" in block[:65536]:
            raise Refusal(
                "format-unexpected", "Файл двоичный, а не текстовый.", "Загрузите CSV или XLSX."
            )
        if block.startswith(_MARK):
            self.name = "utf-8-sig"
            return block[len(_MARK) :]
        return block

    def utf8(self, block: bytes, row: int) -> bytes:
        """Give a block of whole lines as UTF-8; `row` numbers its first line for the refusal."""
        if not block.isascii():
            if self.name == "ascii":
                self.name = _guess(block)
            if self.name == "cp1251":
                block = _from_cp1251(block, row)
            else:
                _validate(block, self.name, row)
        return block.replace(b"\r\n", b"\n") if b"\r" in block else block


def _guess(block: bytes) -> str:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as broken:
        # Windows-1251 does not spell Cyrillic letters in UTF-8 by chance: not three times over.
        before = block[: broken.start].decode("utf-8")
        return "utf-8" if sum("Ѐ" <= letter <= "ӿ" for letter in before) >= 3 else "cp1251"
    return "utf-8"


def _from_cp1251(block: bytes, row: int) -> bytes:
    try:
        text = block.decode("cp1251")
    except UnicodeDecodeError as broken:
        at = row + block.count(b"\n", 0, broken.start)
        raise Refusal(
            "encoding-unsupported",
            f"Строка {at}: байты не читаются ни как UTF-8, ни как Windows-1251. {_EXPECTED}",
            _REMEDY,
            {"row": at},
        ) from None
    letters = sum("а" <= letter <= "я" for letter in text[:65536].lower())
    foreign = sum(letter > "\x7f" and letter.isalpha() for letter in text[:65536])
    if foreign > 20 and letters < foreign * 0.8:
        raise Refusal(
            "encoding-unsupported",
            f"Кодировка не распознана: не UTF-8 и не похоже на Windows-1251. {_EXPECTED}",
            _REMEDY,
        )
    return text.encode()


def _validate(block: bytes, name: str, row: int) -> None:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as broken:
        at = row + block.count(b"\n", 0, broken.start)
        raise Refusal(
            "encoding-mixed",
            f"Файл начинается в кодировке {name.upper()}, но строка {at} записана иначе. "
            f"{_EXPECTED}",
            _REMEDY,
            {"row": at, "encoding": name},
        ) from None
