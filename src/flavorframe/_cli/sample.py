"""``flavorframe sample``: make ntuples with known truth."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class LayoutName(str, Enum):
    """The layouts that samples come in."""

    nano = "nano"
    bph = "bph"
    lhcb = "lhcb"
    belle2 = "belle2"


class DecayName(str, Enum):
    """The decays of which there are samples."""

    dsphipi = "dsphipi"
    tau3mu = "tau3mu"


class KindName(str, Enum):
    """The kinds of samples."""

    data = "data"
    simulation = "simulation"


def sample(
    folder: Annotated[Path, typer.Argument(help="Where the ntuples and the catalogue go.")],
    fraction: Annotated[
        float, typer.Option(help="Size as a fraction of the 2017 data's (1 is about 38 fb⁻¹).")
    ] = 0.01,
    era: Annotated[
        list[str] | None, typer.Option(help="Era; may be repeated. By default, all.")
    ] = None,
    layout: Annotated[LayoutName, typer.Option(help="Layout of the files.")] = LayoutName.nano,
    decay: Annotated[
        DecayName, typer.Option(help="Ds → φπ, or τ → 3μ (in layouts nano and bph).")
    ] = DecayName.dsphipi,
    kind: Annotated[KindName, typer.Option(help="Data, or simulated signal.")] = KindName.data,
    seed: Annotated[int, typer.Option(help="The same seed gives the same events.")] = 2017,
) -> None:
    """Make realistic ntuples with known truth, and their catalogue."""
    import flavorframe as ff

    eras = tuple(era or ff.samples.ERAS)
    catalogue = ff.samples.write(
        folder,
        eras=eras,
        fraction=fraction,
        layout=layout.value,
        seed=seed,
        kind=kind.value,
        decay=decay.value,
    )
    typer.echo(catalogue)
