"""Loading profiles from CSV and XLSX, in two stages: checked at upload, stored on commit.

A file holds one row per school and one column per attribute, for one school year. Everything wrong is
told at once: sheet, row, column, value, how to fix it; rows in = stored + rejected + ignored. «н/п» is
not applicable, an empty cell is not submitted, 0 is zero. The same file for the same year is one
import; the file itself is not kept, only its hash and the cells of known columns. The commit checks
again, because attributes and schools may have changed. Source: design 7; methodology A4 (7), B6.
"""
