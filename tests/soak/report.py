"""What a soak tells whoever ran it, one line per fact."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

from daemon.reading.results import Results
from tests.chaos.mayhem import Mayhem
from tests.soak.adversity import HIGH, LOW, Episode, Story
from tests.system.ledger import Rows, recorded


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


def report_adversity(stories: Sequence[Story], rows: Rows, answers: int, left_out: int) -> None:
    """Print what went wrong, what was seen of it and how soon, what was kept, and how the cells fared."""
    print()
    for story in stories:
        ends = Counter(episode.state for episode in story.episodes)
        came = ", ".join(f"{count} {state}" for state, count in sorted(ends.items()))
        who = f"{story.place.name} ({story.place.driver})"
        print(f"{who}: {story.hours:.1f} h lived in {len(story.episodes)} runs: {came}")
        for kind, episodes in sorted(_by_kind(story.episodes).items()):
            for line in _told(kind, episodes):
                print(line)
    print(f"\nreadings kept      {sum(map(len, rows.values()))}, each run's numbers without a gap")
    print(f"stepped channel    {answers} answers; {left_out} are no readings: looks, and those at an end")
    for story in stories:
        low = min(episode.extremes.low for episode in story.episodes)
        high = max(episode.extremes.high for episode in story.episodes)
        print(f"cell in {story.place.name:<10} {low:.3f} to {high:.3f} V; its window is {LOW} to {HIGH} V")


def _by_kind(episodes: Sequence[Episode]) -> dict[str, list[Episode]]:
    found: dict[str, list[Episode]] = {}
    for episode in episodes:
        found.setdefault(str(episode.adversity), []).append(episode)
    return found


def _told(kind: str, episodes: Sequence[Episode]) -> list[str]:
    """Say of one kind how often it came, and one line per way it went."""
    ways: dict[str, list[Episode]] = {}
    for episode in episodes:
        ways.setdefault(_way(episode), []).append(episode)
    lines = []
    for way, alike in ways.items():
        delays = sorted(episode.delay for episode in alike)
        after = f"after {delays[0]:.0f} to {delays[-1]:.0f} s" if alike[0].opened else ""
        lines.append(f"  {kind:<26} {len(alike)} × {way} {after}".rstrip())
    return lines


def _way(episode: Episode) -> str:
    if episode.opened:
        return f"{episode.state}: {episode.reason.rpartition('SOCKET: ')[2][:60]}"
    return (
        f"lived through, noted: {', '.join(sorted(set(episode.seen)))}" if episode.seen else "lived through"
    )
