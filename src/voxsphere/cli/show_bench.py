"""What the terminal shows of measurements: speeds, who waits for whom, precisions side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from voxsphere.cli.show import out

if TYPE_CHECKING:
    from voxsphere.bench.embedding import Speed
    from voxsphere.bench.loading import Loading
    from voxsphere.bench.precision import Precision


def speed(measured: "Speed") -> None:
    """Real-time factors, ours and beside it the plain chain."""
    out.print(
        f"{escape(measured.model)}: {measured.seconds:g} s of speech, one thread, "
        f"{measured.repeats} paired runs (median)"
    )
    out.print(
        f"  voxsphere                              RTF {measured.ours:.4f}  ({1 / measured.ours:.0f} × real time)"
    )
    if measured.plain is not None and measured.ratio is not None:
        faster = 1 / measured.plain
        out.print(f"  kaldi-native-fbank + the plain network RTF {measured.plain:.4f}  ({faster:.0f} × real time)")
        out.print(f"  voxsphere takes {measured.ratio:.2f} of that time")
    else:
        out.print("  kaldi-native-fbank is not installed (or not this model's front end): no comparison")


def loading(speed: "Loading") -> None:
    """Who waits for whom in training."""
    out.print(f"loader alone ({speed.workers} workers)  {speed.loader:8.0f} examples/s")
    out.print(f"device alone              {speed.device:8.0f} examples/s")
    kept = f"{speed.kept:.0%} of the device's own speed"
    out.print(f"both together             {speed.together:8.0f} examples/s, {kept}")
    if speed.bottleneck == "loader":
        out.print("the [bold]loader[/] is the bottleneck; give it more --workers")
    elif speed.kept < 0.95:
        out.print("the [bold]device[/] is the slower of the two, and the loader takes of it: on a CPU they share cores")
    else:
        out.print("the [bold]device[/] is the bottleneck")


def precisions(measured: Sequence["Precision"], epochs: int) -> None:
    """One line a precision, in the columns of a table of mixed precision."""
    table = Table(box=None, pad_edge=False)
    columns = ("", "minutes", "MB", "train acc %", "valid acc %", "EER %", "DCF .01", "DCF .001")
    for column in columns:
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for each in measured:
        accuracies = (each.train_accuracy, each.valid_accuracy)
        table.add_row(
            each.compute,
            f"{each.minutes:.2f}",
            f"{each.megabytes:.0f}",
            *("–" if accuracy is None else f"{100 * accuracy:.2f}" for accuracy in accuracies),
            f"{100 * each.eer:.2f}",
            *(f"{cost:.3f}" for cost in each.min_dcf),
        )
    out.print(table)
    whole = f"{epochs} epoch{'' if epochs == 1 else 's'} each, loading and validation included"
    out.print(f"{whole}; errors on {measured[0].tested_on}; each in a process of its own", style="dim")
