"""The decision sheet as a page: plain Russian, no script, nothing from outside, prints on A4."""

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from services.indicators.identification.sheets.contents import Sheet

__all__ = ["CONTENT_SECURITY_POLICY", "page"]

STYLE = """
body { font: 11pt/1.4 "PT Serif", "Times New Roman", serif; color: #111; background: #fff;
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 1.6rem 0 .4rem; break-after: avoid; }
p { margin: .3rem 0; }
.conclusion { border: 2px solid #111; padding: .6rem .8rem; font-weight: bold; margin: .8rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .82rem; }
th, td { border: 1px solid #777; padding: .2rem .35rem; text-align: left; vertical-align: top;
  overflow-wrap: break-word; }
thead th { background: #eee; font-weight: bold; }
.long { overflow-wrap: anywhere; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.facts th { width: 13rem; background: #f6f6f6; font-weight: normal; }
ol { padding-left: 1.6rem; }
li { margin: .3rem 0; }
.signature { margin: 2rem 0 0; border-top: 1px solid #111; padding-top: .2rem; font-size: .85rem;
  break-inside: avoid; }
@page { size: A4 landscape; margin: 12mm; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 9.5pt; }
  .wide { overflow: visible; } }
"""

_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Stricter than it needs to be for a page of text: only this very style sheet may apply."""


def page(sheet: Sheet) -> str:
    """Write the sheet; the same sheet gives the same text. Every text is escaped."""
    return _template().render(sheet=sheet, style=STYLE)


_LONGEST_WORD = 30


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("services.indicators.identification.sheets", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.tests["unbreakable"] = _is_unbreakable
    return environment.get_template("page.html")


def _is_unbreakable(text: str) -> bool:
    """Say whether a text has a word, a hash say, that would make its column as wide as itself."""
    return any(len(word) > _LONGEST_WORD for word in text.split())
