"""The decision sheet as a DOCX document; the bytes depend on the sheet alone."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.document import Document as Made
from docx.enum.section import WD_ORIENT
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt

from services.indicators.identification.sheets.blocks import Table
from services.indicators.identification.sheets.contents import Sheet

__all__ = ["DOCX", "document"]

DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_STAMP = datetime(2026, 1, 1, tzinfo=UTC)
"""A fixed date: the same content is the same bytes."""
_FONT = "Times New Roman"


def document(sheet: Sheet) -> bytes:
    """Write the sheet; the same sheet gives the same bytes.

    All of it is text: no fields, no links, no macros, no pictures, no addresses outside.
    """
    made = Document()
    _set_up(made, sheet.title)
    made.add_heading(sheet.title, level=1)
    made.add_paragraph().add_run(sheet.conclusion).bold = True
    _table(made, [[fact.name, fact.value] for fact in sheet.facts], columns=None)
    for section in sheet.sections:
        made.add_heading(section.title, level=2)
        for paragraph in section.paragraphs:
            made.add_paragraph(paragraph)
        for step in section.steps:
            made.add_paragraph(step, style="List Number")
        if section.table is not None:
            _content(made, section.table)
    for signature in sheet.signatures:
        made.add_paragraph()
        made.add_paragraph("_" * 60)
        made.add_paragraph(signature)
    stream = io.BytesIO()
    made.save(stream)
    return _same_bytes(stream.getvalue())


def _set_up(made: Made, title: str) -> None:
    page = made.sections[0]
    page.orientation = WD_ORIENT.LANDSCAPE
    page.page_width, page.page_height = Mm(297), Mm(210)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Mm(12)
    for name, size in (("Normal", 10), ("Heading 1", 15), ("Heading 2", 12)):
        style = made.styles[name]
        style.font.name, style.font.size = _FONT, Pt(size)
        # Cyrillic takes the font of "high ANSI"; headings bring fonts of a theme.
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for kind in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{kind}"), None)
        for kind in ("ascii", "hAnsi", "cs", "eastAsia"):
            fonts.set(qn(f"w:{kind}"), _FONT)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "ru-RU")
    made.styles["Normal"].element.get_or_add_rPr().append(language)
    properties = made.core_properties
    properties.author = properties.last_modified_by = "Опора"
    properties.title, properties.comments, properties.language = title, "", "ru-RU"
    properties.created = properties.modified = _STAMP
    properties.revision = 1


def _content(made: Made, table: Table) -> None:
    _table(made, table.rows, columns=table.columns)


def _table(made: Made, rows: Sequence[Sequence[str]], *, columns: Sequence[str] | None) -> None:
    table = made.add_table(rows=0, cols=len(columns or rows[0]))
    table.style = "Table Grid"
    if columns:
        table._tbl.append(_row(columns, is_head=True))  # noqa: SLF001  see `_row`
    for row in rows:
        table._tbl.append(_row(row, is_head=False))  # noqa: SLF001


def _row(cells: Sequence[str], *, is_head: bool) -> Any:
    """Write a row as WordprocessingML; a head is repeated on every page.

    Cell by cell through the library a sheet of 600 cells takes a second.
    """
    bold, repeated = ("<w:b/>", "<w:trPr><w:tblHeader/></w:trPr>") if is_head else ("", "")
    written = "".join(
        f"<w:tc><w:p><w:r><w:rPr>{bold}<w:sz w:val='16'/></w:rPr>"
        f"<w:t xml:space='preserve'>{escape(text)}</w:t></w:r></w:p></w:tc>"
        for text in cells
    )
    return parse_xml(f"<w:tr {nsdecls('w')}>{repeated}{written}</w:tr>")


def _same_bytes(made: bytes) -> bytes:
    """Pack the parts again without the clock of the machine."""
    stream = io.BytesIO()
    with ZipFile(io.BytesIO(made)) as source, ZipFile(stream, "w") as packed:
        for name in source.namelist():
            entry = ZipInfo(name, date_time=_STAMP.timetuple()[:6])
            entry.compress_type, entry.create_system, entry.external_attr = ZIP_DEFLATED, 3, 0
            packed.writestr(entry, source.read(name))
    return stream.getvalue()
