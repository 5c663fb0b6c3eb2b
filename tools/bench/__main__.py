"""Run benchmarks: `python -m tools.bench [NAME]… [--quick] [--json FILE]`, all of them by default."""

from __future__ import annotations

import argparse
import json
import platform
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools.bench import link, requests, schema, transfer, wire
from tools.bench.rounds import Row

BENCHES = {
    "wire": wire.run,
    "schema": schema.run,
    "link": link.run,
    "requests": requests.run,
    "transfer": transfer.run,
}


def main() -> None:
    """Run what the command line names, all by default."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("which", nargs="*", choices=[*BENCHES, []], help="what to measure; all by default")
    parser.add_argument("--quick", action="store_true", help="less of everything, to see that it works")
    parser.add_argument("--json", type=Path, help="write the rows to a file as well")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for name in arguments.which or BENCHES:
        rows += BENCHES[name](quick=arguments.quick)
    _print(rows)
    if arguments.json:
        about = {"python": platform.python_version(), "machine": platform.machine(), "rows": rows}
        arguments.json.write_text(json.dumps(about, indent=1) + "\n", "utf-8")


def _print(rows: list[Row]) -> None:
    console = Console()
    for bench, group in groupby(rows, key=lambda row: str(row["bench"])):
        table = Table(title=bench, title_justify="left", box=None)
        shown = list(group)
        for column in shown[0]:
            if column != "bench":
                table.add_column(column, justify="left" if column == "name" else "right")
        for row in shown:
            table.add_row(
                *[
                    f"{value:,}" if isinstance(value, int) else str(value)
                    for key, value in row.items()
                    if key != "bench"
                ]
            )
        console.print(table, "")


if __name__ == "__main__":
    main()
