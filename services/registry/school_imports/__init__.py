"""Import of schools from CSV and XLSX, in two stages: checked at upload, stored on commit.

An upload is judged as a whole: everything wrong at once, grouped by rule, with row, column, value
and remedy; rows in = stored + rejected + ignored. The file itself is not kept, only its hash and
size, and the cells of known columns. The same file is one import however often it is sent; a
committed one is never repeated. The commit checks again, because the registry may have changed
between, and stores everything in one transaction. Source: design, section 7.
"""
