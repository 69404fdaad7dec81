"""The SQL statements that return a page as one value: the JSON of its items, joined by commas."""

from projections.engine.sqlite.forms import PageForm


def joined(form: PageForm, rows: str, keys: str) -> str:
    """Return the statement that joins the JSON of *rows* and looks whether there are more.

    The order of what is joined is that of the inner query, because it has a limit. Of the last key
    of a full page and the next one, the former is returned: to look for them in the index takes
    less than to compare every key of the page.
    """
    last, direction = ("max", "DESC") if form.descending else ("min", "ASC")
    ends = f"SELECT k FROM ({keys} ORDER BY 1 {direction} LIMIT 2 OFFSET ?)"
    more = f"SELECT {last}(k) FROM ({ends}) HAVING count(*) = 2"
    page = f"{rows} ORDER BY 1 {direction} LIMIT ?"
    return f"SELECT CAST(group_concat(j) AS BLOB), count(*), ({more}) FROM ({page})"


def joined_once(form: PageForm, source: str, tests: list[str], sort: str, rows: str) -> str:
    """Return the statement that joins the JSON of *rows*, of which filters leave many out.

    It looks whether there are more behind the last of them: no row of the index is compared twice.
    """
    last, beyond, end = ("min", "<", ">") if form.descending else ("max", ">", "<")
    has_end = form.above if form.descending else form.below
    tests = [*tests, *[f"{sort} {end} ?"] * has_end, f"{sort} {beyond} p.k"]
    rows = f"{rows} ORDER BY 1 {'DESC' if form.descending else 'ASC'} LIMIT ?"
    more = f"EXISTS (SELECT 1 FROM {source} WHERE {' AND '.join(tests)})"
    page = f"SELECT CAST(group_concat(j) AS BLOB) AS j, count(*) AS n, {last}(k) AS k FROM ({rows})"
    return f"SELECT p.j, p.n, CASE WHEN p.n = ? AND {more} THEN p.k END FROM ({page}) p"
