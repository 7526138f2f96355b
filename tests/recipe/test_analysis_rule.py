"""`analysis:` in a recipe: the rule of the verdicts, fixed before the first run."""

import hashlib
import json

import pytest

from ablate.errors import AblateError
from ablate.recipe.load import read_recipe
from ablate.result.manifest import AnalysisRule, StudyManifest, VariantEntry
from ablate.study.setup.manifest import expectations_hash
from ablate.study.setup.merge import merge_manifests

RECIPE = "data: {type: synthetic_v1}\nbaseline: {core: {type: vivit}}\n"


def rule_of(text: str) -> AnalysisRule:
    return read_recipe(RECIPE + text, "r.yaml").analysis


def test_moderated_variance_and_three_percent_are_the_default():
    assert rule_of("") == AnalysisRule(variance="moderated", worth=0.03)
    assert rule_of("analysis: {variance: own, worth: 0.01}\n") == AnalysisRule(variance="own", worth=0.01)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("analysis: own\n", "r.yaml:3: `analysis` is the text `own`, expected a mapping"),
        ("analysis: {variance: pooled}\n", "`analysis.variance` is the text `pooled`, expected `moderated` or `own`"),
        ("analysis: {worth: 3}\n", "`analysis.worth` is 3, expected a number between 0 and 1"),
        ("analysis: {worht: 0.1}\n", "unknown key `analysis.worht`"),
    ],
)
def test_a_wrong_rule_is_told_with_its_place(text, problem):
    with pytest.raises(AblateError) as caught:
        rule_of(text)
    assert problem in str(caught.value)


def test_the_rule_is_hashed_with_the_expectations_and_the_default_leaves_old_hashes_valid():
    entries = (VariantEntry(name="p", role="variant", expect=(0.01, 0.02)),)
    default = expectations_hash(entries, AnalysisRule())
    predicted = json.dumps({"p": [[0.01, 0.02], None]}).encode()  # what was hashed before there was a rule
    assert default == hashlib.sha256(predicted).hexdigest()[:16]
    assert expectations_hash(entries, AnalysisRule(worth=0.01)) != default
    assert expectations_hash(entries, AnalysisRule(variance="own")) != default


def test_a_rule_that_changes_after_the_first_run_is_told():
    plain = {"name": "s", "question": "", "seeds": (0,), "variants": (VariantEntry(name="baseline", role="baseline"),)}
    old, new = StudyManifest(**plain), StudyManifest(**plain, analysis=AnalysisRule(worth=0.01))
    merged = merge_manifests(old, new, accept=False)
    assert merged.expectation_changes == ("analysis.worth: 0.03 became 0.01 after the first run",)
    assert merged.analysis.worth == 0.01
