"""What every fusion study shows without being asked: models that must fail, and one that must change nothing.

EEG alone, video alone, shuffled pairs and a mask shifted by one interval are references, since they are targets to stay
above; poisoned pads are a control, since a model that reads no pads scores the same with NaN in them.
"""

from ablate.disk.read import Json
from ablate.model import FusionConfig
from ablate.recipe.schema import Configuration, Patch
from ablate.recipe.tree.node import Node

REFERENCES: dict[str, tuple[str, Json]] = {
    "eeg_alone": ("EEG alone", {"model": {"fusion": {"type": "none"}}}),
    "video_alone": ("video alone", {"model": {"eeg": {"type": "none"}}}),
    "shuffled_pairs": ("each trial with another trial's video", {"data": {"shuffle_pairs": True}}),
    "mask_shifted": ("tokens see the interval before their own", {"model": {"fusion": {"mask": "shift"}}}),
}
POISONED = ("poisoned_pads", "NaN in every padded frame (control)", {"data": {"poison_pads": True}})


def with_fusion_controls(
    configuration: Configuration, patches: dict[str, Patch], references: dict[str, Patch], where: str
) -> tuple[dict[str, Patch], dict[str, Patch]]:
    """Patches and references with the controls that the recipe does not have already, by name or by content."""
    written = (*patches.values(), *references.values())
    names, fragments = {patch.name for patch in written}, [patch.fragment for patch in written]

    def new(found: dict[str, Patch]) -> dict[str, Patch]:
        return {name: p for name, p in found.items() if name not in names and p.fragment not in fragments}

    return (
        {**patches, **new(fusion_controls(configuration, where))},
        {**references, **new(fusion_references(configuration, where))},
    )


def fusion_references(configuration: Configuration, where: str) -> dict[str, Patch]:
    """The models that must fail, as far as they differ from the baseline; none for other kinds of study."""
    model = configuration.model
    if not isinstance(model, FusionConfig):
        return {}
    skipped = {
        "eeg_alone": model.fusion.type == "none",
        "video_alone": model.eeg.type == "none",
        "shuffled_pairs": model.fusion.type == "none",
        "mask_shifted": dict(model.fusion).get("mask", "shift") == "shift",
    }
    return {
        name: Patch(name, title=title, tree=tree_of(fragment, where, f"references.{name}"))
        for name, (title, fragment) in REFERENCES.items()
        if not skipped[name]
    }


def fusion_controls(configuration: Configuration, where: str) -> dict[str, Patch]:
    """Poisoned pads, for a model that looks at video at all."""
    model = configuration.model
    if not isinstance(model, FusionConfig) or model.fusion.type == "none":
        return {}
    name, title, fragment = POISONED
    return {name: Patch(name, title=title, control=True, tree=tree_of(fragment, where, f"patches.{name}"))}


def tree_of(value: object, where: str, path: str) -> Node:
    """Plain values as a tree that says it comes from `where`."""
    if isinstance(value, dict):
        return Node({key: tree_of(inner, where, f"{path}.{key}") for key, inner in value.items()}, where, path)
    return Node(value, where, path)
