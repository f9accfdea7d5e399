"""What a soak tells whoever ran it, one line per fact."""

from collections import Counter
from statistics import median

from daemon.results import Results
from tests.chaos.mayhem import Mayhem
from tests.system.ledger import recorded


def report(mayhem: Mayhem) -> None:
    """Print what was killed, what came of the runs, and how the cells fared."""
    rows = recorded(mayhem.lab.database)
    results = Results.open(mayhem.lab.database)
    ends = Counter(run.state for run in results.runs())
    results.close()
    ready = sorted(mayhem.lab.ready_after)
    print()
    print(f"killed             {', '.join(f'{name} {count} times' for name, count in mayhem.kills.items())}")
    print(f"runs               {', '.join(f'{count} {state}' for state, count in sorted(ends.items()))}")
    print(f"readings kept      {sum(map(len, rows.values()))}")
    print(
        f"core ready after   median {median(ready):.2f} s, longest {ready[-1]:.2f} s of {len(ready)} starts"
    )
    for channel, cell in mayhem.lab.cells.items():
        print(f"cell in {channel:<10} {cell.extremes.low:.3f} to {cell.extremes.high:.3f} V")
