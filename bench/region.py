"""A region with rollups for 10 procedures a year and 3 years, of any number of schools.

The rollups are written by SQL: importing twelve million rows of results would measure something else.
"""

__all__ = ["BY_HAND", "PROCEDURES", "YEARS", "fill"]

MUNICIPALITIES, PROCEDURES, YEARS = 30, 10, 3


def fill(schools: int) -> str:
    """Write the statements that fill an empty database of indicators with a region."""
    return _FILL.format(schools=schools, municipalities=MUNICIPALITIES)


# Six patterns of low and taken mass subjects, three subjects, one import for each cell.
_FILL = """
    INSERT INTO region VALUES (1, '67', 'Область');
    INSERT INTO municipality (id, region_id, code, name)
    SELECT i, 1, i::text, 'Район ' || i FROM generate_series(1, {municipalities}) i;
    INSERT INTO school (id, region_id, municipality_id, code, name, kind, stages,
                        adverse_conditions, adverse_reason)
    SELECT i, 1, 1 + i % {municipalities}, lpad(i::text, 6, '0'), 'Школа № ' || i, 'sosh',
           '{{noo,ooo,soo}}', i % 9 = 0, CASE WHEN i % 9 = 0 THEN 'Социальный паспорт' END
    FROM generate_series(1, {schools}) i;
    INSERT INTO procedure (id, region_id, kind, grade, year, title, permitted_uses)
    OVERRIDING SYSTEM VALUE
    SELECT y * 100 + p, 1, CASE WHEN p < 8 THEN 'vpr' WHEN p = 8 THEN 'oge' ELSE 'ege' END,
           CASE WHEN p < 8 THEN p + 1 WHEN p = 8 THEN 9 ELSE 11 END, y, 'Процедура ' || p,
           '[{{"use": "identification"}}]'
    FROM generate_series(2022, 2024) y, generate_series(0, 9) p;
    INSERT INTO scale (region_id, procedure_id, position, subject, title, aliases, minimum, maximum,
                       top, mark_borders, is_mass, score_kind, margin_share, low_below_milli,
                       mass_from_milli, minimum_milli, top_milli, maximum_milli)
    SELECT 1, p.id, s, (ARRAY['rus', 'mat', 'phy'])[s + 1], 'Предмет ' || s, '{{}}', 8, 31, 22, '{{}}',
           s < 2, 'primary', 0.05, 9550, 15775, 8000, 22000, 31000
    FROM procedure p, generate_series(0, 2) s;
    INSERT INTO rollup_pattern (procedure_id, school_id, region_id, municipality_id, taken_mask,
                                low_mask, failed_mask, n)
    SELECT p.id, s.id, 1, s.municipality_id, k.taken, k.low, k.failed,
           1 + (hashint4((p.id * 10000 + s.id * 7 + k.k)::int) & 7)
    FROM procedure p, school s,
         (VALUES (0, 3, 0, 0), (1, 3, 1, 0), (2, 3, 2, 2), (3, 3, 3, 2), (4, 1, 0, 0), (5, 2, 2, 2))
         k (k, taken, low, failed);
    INSERT INTO rollup_subject
    SELECT p.id, s.id, j, 1, s.municipality_id, p.year, p.grade, 25, 1, 0, 8, 6, 12, 3, 400000,
           7000000, 6, 8, 8, 3
    FROM procedure p, school s, generate_series(0, 2) j;
    INSERT INTO rollup_source (procedure_id, school_id, import_id, sheet_no, region_id,
                               municipality_id, first_row, last_row, rows)
    SELECT p.id, s.id, p.id, 1, 1, s.municipality_id, s.id * 25, s.id * 25 + 24, 25
    FROM procedure p, school s;
"""
BY_HAND = """
    WITH counted AS (
        SELECT school_id, procedure_id, sum(n) AS n,
               COALESCE(sum(n) FILTER (WHERE failed_mask & 3 <> 0), 0) AS low
        FROM rollup_pattern GROUP BY school_id, procedure_id
    ), by_year AS (
        SELECT school_id, p.year, count(*) FILTER (WHERE low * 10 >= n * 3) AS lows
        FROM counted c JOIN procedure p ON p.id = c.procedure_id GROUP BY school_id, p.year
    ), by_school AS (
        SELECT school_id, max(lows) FILTER (WHERE year = 2024) AS last,
               max(lows) FILTER (WHERE year = 2023) AS before
        FROM by_year GROUP BY school_id
    )
    SELECT s.municipality_id, count(*) FILTER (WHERE last >= 2 OR (last >= 1 AND before >= 1))
    FROM by_school b JOIN school s ON s.id = b.school_id
    GROUP BY s.municipality_id ORDER BY s.municipality_id
"""
