"""What is known of each unit beside its counts: a table in a recording's folder, a row a unit, as spikes.npy has them.

    units.csv, units.tsv      any columns; `unit` numbers the rows, from 0, where they are in another order
    cluster_info.tsv, cluster_group.tsv, cluster_KSLabel.tsv    as Phy and Kilosort write them, joined by `cluster_id`

Read only when a recipe asks for units by name or label. Two tables that say different things are refused.
"""

import csv
from pathlib import Path

from ablate.errors import AblateError

TABLES = ("units.csv", "units.tsv", "cluster_info.tsv", "cluster_group.tsv", "cluster_KSLabel.tsv")
UnitTable = dict[str, tuple[str, ...]]
"""Column -> text of each unit."""


def read_unit_table(folder: Path, units: int) -> UnitTable:
    """All columns of all tables of a folder; empty where there is none. Raises AblateError for a table that does not
    have one row for each unit, and for tables that disagree."""
    found: UnitTable = {}
    for name in TABLES:
        if (folder / name).is_file():
            for column, values in _in_order(rows_of(folder / name), units, folder / name, found).items():
                if found.setdefault(column, values) != values:
                    what = f"column `{column}` of {name} is not that of another table beside it"
                    raise AblateError(what, where=str(folder), hint="keep the table that is right")
    return found


def write_unit_table(folder: Path, table: UnitTable) -> None:
    """As units.csv."""
    with (folder / "units.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))


def rows_of(path: Path) -> list[dict[str, str]]:
    """Rows of a .csv or .tsv by their columns. Raises AblateError for a file that is no such table."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AblateError("cannot be read as text", where=str(path)) from error
    reader = csv.DictReader(text.splitlines(), delimiter="\t" if path.suffix == ".tsv" else ",", strict=True)
    try:
        rows = [dict(row) for row in reader]
    except csv.Error as error:
        raise AblateError(f"is no table: {error}", where=str(path)) from error
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            what = f"line {number} has another number of columns than the first"
            raise AblateError(what, where=str(path))
    return [{column.strip(): value.strip() for column, value in row.items()} for row in rows]


def _in_order(rows: list[dict[str, str]], units: int, path: Path, known: UnitTable) -> UnitTable:
    """Columns in the order of the units: by number, by the ids of a table that was read before, or as the rows lie."""
    if len(rows) != units:
        what = f"{path.name} has {len(rows)} rows, and spikes.npy {units} units"
        raise AblateError(what, where=str(path.parent), hint="a row for each column of spikes.npy, in that order")
    if not rows:
        return {}
    if "unit" in rows[0]:
        order = {str(number): number for number in range(units)}
        key = "unit"
    elif "cluster_id" in rows[0] and "cluster_id" in known:
        order = {name: number for number, name in enumerate(known["cluster_id"])}
        key = "cluster_id"
    else:
        return {column: tuple(row[column] for row in rows) for column in rows[0]}
    if {row[key] for row in rows} != order.keys():
        listed = f"0 to {units - 1}, each once" if key == "unit" else "those of the table beside it"
        raise AblateError(f"column `{key}` of {path.name} must be {listed}", where=str(path.parent))
    placed = sorted(rows, key=lambda row: order[row[key]])
    return {column: tuple(row[column] for row in placed) for column in rows[0]}
