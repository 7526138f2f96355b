"""What the tests here ask of a trained study."""

from ablate.result import Store


def key_of(study: Store, variant: str) -> str:
    entry = next(one for one in study.manifest().variants if one.name == variant)
    return entry.keys[0]
