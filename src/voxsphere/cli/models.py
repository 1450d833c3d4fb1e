"""The verbs of models: which are known, what their cards say, what networks there are, and models made of others'."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from voxsphere.cli.options import Json, print_json
from voxsphere.core.errors import BadInput


class _NamesToo(TyperGroup):
    """A group whose first word may also be the name of a model: `models NAME` is `models show NAME`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_NamesToo,
    invoke_without_command=True,
    subcommand_metavar="[NAME | COMMAND [ARGS]...]",
    help="The models known by name; a name shows its card.",
)


@app.callback()
def models(ctx: typer.Context, as_json: Json = False) -> None:
    """The models known by name; `models NAME` shows a model's card."""
    if ctx.invoked_subcommand is not None:
        if as_json:
            raise BadInput(f"give --json after {ctx.invoked_subcommand!r}")
        return
    from voxsphere.cli import show_models
    from voxsphere.pretrained import KNOWN
    from voxsphere.pretrained.known import calibrated

    cards = [calibrated(known.card) for known in KNOWN.values()]
    print_json({"models": [card.to_json() for card in cards]}) if as_json else show_models.cards(cards)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A known name, a folder, an address, or a hub id.")], as_json: Json = False
) -> None:
    """One model's card: whose it is, its licences, what it was trained on, and how it was measured."""
    from voxsphere.cli import show_models
    from voxsphere.pretrained import KNOWN, load
    from voxsphere.pretrained.known import calibrated

    card = calibrated(KNOWN[name].card) if name in KNOWN else load(name).card
    print_json(card.to_json()) if as_json else show_models.card(card)


@app.command()
def networks(as_json: Json = False) -> None:
    """The networks that can be built and trained, with their sizes and papers."""
    from voxsphere.cli import show_models
    from voxsphere.zoo import NETWORKS

    found = list(NETWORKS.values())
    told = [
        {
            "name": each.name,
            "parameters": each.parameters,
            "paper": each.paper,
            "counted_by": each.source,
            "systems": list(each.systems),
            "compared_with": each.peer or None,
        }
        for each in found
    ]
    print_json({"networks": told}) if as_json else show_models.networks(found)


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="The other project's model folder, or its weights.")],
    kind: Annotated[str, typer.Option("--from", metavar="KIND", help="wespeaker, 3dspeaker, speechbrain or redimnet.")],
    out: Annotated[Path, typer.Option(help="The model folder to write.")],
    name: Annotated[str | None, typer.Option(help="The model's name; the source's if not given.")] = None,
    licence: Annotated[
        str, typer.Option(help="The weights' licence, as whoever published them states it.")
    ] = "not stated",
    as_json: Json = False,
) -> None:
    """Another project's checkpoint as a model folder, which every verb's --model takes."""
    from voxsphere.cli import show_models
    from voxsphere.pretrained.foreign.importing import import_model

    card = import_model(kind, source, out, name=name, licence=licence)
    print_json({"out": str(out), "card": card.to_json()}) if as_json else show_models.imported(card, out)


@app.command("over-waves")
def over_waves(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model folder over stored features.")],
    features: Annotated[Path, typer.Option(help="The .json that `features extract` wrote beside the store.")],
    out: Annotated[Path, typer.Option(help="The model folder to write.")],
    as_json: Json = False,
) -> None:
    """A model over stored features as one over waves: verify, embed and the like then take it."""
    from voxsphere.pretrained.over_waves import over_waves as make

    card = make(model, features, out)
    if as_json:
        print_json({"out": str(out), "card": card.to_json()})
    else:
        typer.echo(f"{card.name} over waves ({card.front_end}): {out}")
