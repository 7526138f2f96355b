"""A table that any program wrote, judged: the same numbers as for our own runs, and nothing read in silence."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted import typical
from scipy import stats
from tests_of_tables import LONG, SCORES, mlflow, sacred, wandb, wide_by_seed, wide_by_variant, write
from typer.testing import CliRunner

import ablate
from ablate.analysis.judge import Choice, judge_file
from ablate.analysis.judge.names import lower_is_better
from ablate.analysis.study import analyse
from ablate.cli.app import app
from ablate.errors import AblateError
from ablate.report.scores import scores_text


def judged(path: Path, **choice):
    return judge_file(path, Choice(**choice)).analysis


def fault(path: Path, **choice) -> str:
    with pytest.raises(AblateError) as caught:
        judge_file(path, Choice(**choice))
    return str(caught.value).replace(str(path), path.name)


# ------------------------------------------------------------------ the same verdicts


def test_the_scores_of_a_study_judged_as_a_table_give_the_verdicts_of_its_report(tmp_path):
    planted = typical()
    report = analyse(planted.manifest(), planted.records())
    table = judged(write(tmp_path, scores_text(report)))
    assert {row.name: row.verdict for row in table.rows} == {row.name: row.verdict for row in report.rows}
    assert [row.name for row in table.rows] == [row.name for row in report.rows]
    for row in report.rows:
        own = table.row(row.name)
        assert own.by_seed == row.by_seed
        if row.gain is not None:
            assert own.gain.relative_interval == row.gain.relative_interval
            assert own.gain.p_holm == row.gain.p_holm
    assert (table.winner, table.metric, table.runs_failed) == (report.winner, "bits_per_spike", 1)


def test_each_rows_own_variance_is_taken_where_that_is_asked_for(tmp_path):
    path = write(tmp_path, LONG)
    own, moderated = (judge_file(path, Choice(variance=rule)).analysis for rule in ("own", "moderated"))
    assert (own.rule.variance, own.row("p1").gain.degrees) == ("own", 2)
    assert moderated.row("p1").gain.degrees > 2
    told = CliRunner().invoke(app, ["judge", str(path), "--variance", "pooled"])
    assert isinstance(told.exception, AblateError)
    assert "--variance pooled is unknown" in str(told.exception)


def test_a_gain_in_a_loss_is_how_far_it_lies_below_the_baseline_with_fiellers_interval(tmp_path):
    analysis = judged(write(tmp_path, LONG.replace("score", "val_loss")))
    down = {name: [-value for value in values] for name, values in SCORES.items()}
    for name in ("p1", "p2"):
        differences = np.array(SCORES["baseline"]) - np.array(SCORES[name])
        gain = analysis.row(name).gain
        np.testing.assert_allclose(gain.by_seed, differences)
        np.testing.assert_allclose(gain.mean, np.mean(down[name]) - np.mean(down["baseline"]))
        np.testing.assert_allclose(gain.relative, differences.mean() / np.mean(SCORES["baseline"]))
        # every ratio inside the interval is one that a t test of d - r b does not refuse, and none outside
        for edge in (gain.relative_interval.low, gain.relative_interval.high):
            assert abs(edge) < 1
    assert analysis.row("p1").verdict == "hurts"
    assert analysis.row("p1").score.mean == pytest.approx(np.mean(SCORES["p1"]))


def test_a_table_upside_down_gives_the_verdicts_upside_down(tmp_path):
    up, down = (judged(write(tmp_path, LONG), lower_is_better=lower) for lower in (False, True))
    assert (up.row("p1").verdict, down.row("p1").verdict) == ("helps", "hurts")
    assert up.row("p1").gain.interval.low == pytest.approx(-down.row("p1").gain.interval.high)
    assert up.row("p1").gain.p == down.row("p1").gain.p


def test_rewards_below_zero_are_not_at_chance_and_have_no_percent(tmp_path):
    rows = [f"{name},{seed},{value - 100}" for name, values in SCORES.items() for seed, value in enumerate(values)]
    analysis = judged(write(tmp_path, "variant,seed,reward\n" + "\n".join(rows)))
    assert not analysis.baseline_at_chance
    assert analysis.row("p1").verdict == "helps"
    assert analysis.row("p1").gain.relative is None
    assert analysis.detectable_relative is None


# ------------------------------------------------------------------ layouts and exports


@pytest.mark.parametrize("make", [wide_by_seed, wide_by_variant, mlflow, wandb, sacred])
def test_each_layout_gives_the_same_gains_as_the_long_table(make, tmp_path):
    text, choice = make()
    wanted = judged(write(tmp_path, LONG), lower_is_better=False)
    found = judged(write(tmp_path, text), **{"lower_is_better": False, "baseline": "baseline", **choice})
    for name in ("p1", "p2"):
        assert found.row(name).gain.by_seed == pytest.approx(wanted.row(name).gain.by_seed)
        assert found.row(name).verdict == wanted.row(name).verdict


def test_a_table_of_dvc_is_read_with_the_workspace_row_left_to_the_reader(tmp_path):
    head = "Experiment,rev,typ,Created,parent,State,Executor,acc,seed,model\n"
    rows = [
        f"exp-{name}{seed},a{seed},branch_commit,2026-01-0{seed + 1},,,,{value},{seed},{name}"
        for name, values in SCORES.items()
        for seed, value in enumerate(values)
    ]
    analysis = judged(write(tmp_path, head + "\n".join(rows)))
    assert analysis.row("p1").verdict == "helps"
    rows.insert(0, f",workspace,baseline,,,,,{SCORES['p2'][2]},2,p2")
    assert "variant `p2`, seed `2` is there already (line 2)" in fault(write(tmp_path, head + "\n".join(rows)))


def test_a_run_that_crashed_counts_as_failed_although_the_export_has_a_score(tmp_path):
    text, choice = wandb()
    analysis = judged(write(tmp_path, text.replace("finished", "crashed", 1)), **choice, baseline="baseline")
    assert [failure.state for failure in analysis.failures] == ["failed"]
    assert "crashed (t.csv:2)" in analysis.failures[0].reason


@pytest.mark.parametrize(
    ("encode", "said"),
    [
        (lambda text: text.encode("utf-8-sig"), ""),
        (lambda text: text.replace(",", ";").encode(), ""),
        (lambda text: text.replace(",", ";").replace(".", ",").encode(), "decimal sign"),
        (lambda text: text.replace("p1", "pä").encode("latin-1"), "latin-1"),
        (lambda text: text.encode("utf-16"), "UTF-16"),
        (lambda text: text.replace(",", "\t").encode(), ""),
        (lambda text: text.replace("\n", "\r\n").encode(), ""),
        (lambda text: text.replace("\n", "\n\n").encode(), ""),
        (lambda text: b"sep=;\n" + text.replace(",", ";").encode(), ""),
        (lambda text: ('"sep=;"\n' + text).replace(",", ";").replace("\n", "\r\n").encode("utf-8-sig"), ""),
        (lambda text: b"sep=,,\n" + text.encode(), ""),
        (lambda text: b"SEP=:\n" + text.replace(",", ":").encode(), ""),
        (lambda text: ("sep=;\n" + text).replace(",", ";").replace(".", ",").encode(), "decimal sign"),
    ],
)
def test_every_way_to_write_a_table_is_read_and_what_is_unusual_is_said(encode, said, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(encode(LONG))
    found = judge_file(path)
    wanted = judged(write(tmp_path, LONG, "other.csv"))
    assert sorted(row.score.mean for row in found.analysis.rows) == sorted(row.score.mean for row in wanted.rows)
    assert said in " ".join(found.said)
    assert len(found.said) == (2 if said else 1)


def test_scores_of_units_and_sessions_are_averaged_within_sessions_first_and_give_the_second_interval(tmp_path):
    generator = np.random.default_rng(0)
    rows = []
    for name, values in SCORES.items():
        for seed, value in enumerate(values):
            for session, units in (("a", 2), ("b", 8)):
                noise = generator.normal(0, 1e-3, units)
                shift = 0.1 if session == "b" else 0.0
                rows += [f"{name},{seed},{session},{i},{value + shift + e}" for i, e in enumerate(noise - noise.mean())]
    analysis = judged(write(tmp_path, "variant,seed,session,unit,score\n" + "\n".join(rows)))
    assert analysis.row("p1").score.mean == pytest.approx(np.mean(SCORES["p1"]) + 0.05)
    assert analysis.row("p1").gain.over_units is not None
    assert [session.name for session in analysis.row("p1").sessions] == ["a", "b"]


# ------------------------------------------------------------------ never silently wrong


@pytest.mark.parametrize(
    ("text", "choice", "message"),
    [
        ("", {}, "error: t.csv: the file is empty"),
        ("variant,seed,score\n", {}, "error: t.csv: there is a header and no row"),
        (LONG + "p1,1,0.5\n", {}, "error: t.csv:11: variant `p1`, seed `1` is there already (line 6)"),
        (LONG + "p1,1.0,0.5\n", {}, "error: t.csv:11: variant `p1`, seed `1` is there already (line 6)"),
        (LONG + "P1,3,0.5\n", {}, "error: t.csv:11: `P1` and `p1` differ in case alone"),
        (LONG + "p1,3\n", {}, "error: t.csv:11: 2 values, but the header has 3 names"),
        (LONG + "p1,3,0,5\n", {}, "separate columns by `;` where the comma is the decimal sign"),
        (LONG + "p1,3,high\n", {}, "error: t.csv:11: `score` is `high`, which is no number"),
        (LONG + "p1,,0.5\n", {}, "error: t.csv:11: no seed"),
        (LONG + ",3,0.5\n", {}, "error: t.csv:11: no variant"),
        (LONG.replace("baseline", "plain"), {}, "say which variant it is with --baseline NAME; the table has plain"),
        (LONG, {"baseline": "basline"}, "did you mean `baseline`?"),
        ("variant,seed,score\nbaseline,0,1\nbaseline,1,2\n", {}, "`baseline` is the only variant"),
        (LONG.replace("score", "quality"), {}, "say it with --lower-is-better or --higher-is-better"),
        (LONG.replace("score", "loss_accuracy"), {}, "does not say whether higher or lower is better"),
        (LONG.replace("seed", "number"), {}, "name it with --seed COLUMN"),
        (LONG.replace("variant", "what"), {}, "say --variant what if that is it"),
        ("sep=;\n" + LONG, {}, "the first line says that `;` separates columns, but the header holds none"),
        ("sep=;\n", {}, "there is a `sep=` and nothing else"),
        ("sep=,\n\n" + LONG + "p1,3,high\n", {}, "error: t.csv:13: `score` is `high`, which is no number"),
        (LONG + "p1,3,1e200\n", {}, "error: t.csv:11: `score` is 1e+200, too large for a variance"),
        ("variant,seed,score\nbaseline,0,2e-200\np1,0,1e-200\n", {}, "too small for a variance (the least is 1e-60)"),
        (LONG, {"score": "acc"}, "--score acc: there is no such column"),
        (LONG.replace("variant,seed,score", "variant,variant,score"), {}, "two columns are called `variant`"),
        (LONG, {"expect": {"p9": (0.0, 0.1)}}, "--expect p9: no variant has that name"),
    ],
)
def test_what_cannot_be_read_or_could_be_two_things_is_one_clear_message(text, choice, message, tmp_path):
    assert message in fault(write(tmp_path, text), **choice)


def test_two_columns_that_could_be_the_score_are_refused_with_the_option_that_decides(tmp_path):
    text = "\n".join(f"{line},{'acc' if not index else 0.5}" for index, line in enumerate(LONG.strip().split("\n")))
    text = text.replace("score", "auc")
    assert "the score could be `auc`, `acc`\n\nhint: say which with --score COLUMN" in fault(write(tmp_path, text))
    assert judged(write(tmp_path, text), score="auc").metric == "auc"


def test_two_columns_that_could_be_the_variant_are_refused(tmp_path):
    text = "\n".join(f"{line},{'method' if not index else 'x'}" for index, line in enumerate(LONG.strip().split("\n")))
    text = text.replace("variant", "model")
    assert "the variant could be `model`, `method`\n\nhint: say which with --variant" in fault(write(tmp_path, text))


def test_all_faults_of_a_table_are_told_together_by_line(tmp_path):
    said = fault(write(tmp_path, LONG + "p1,1,0.5\np1,2,0.5\np2,9,x\n"))
    assert all(place in said for place in ("t.csv:11", "t.csv:12", "t.csv:13"))


@pytest.mark.parametrize("score", ["", "nan", "NaN", "inf", "-inf", "None", "-"])
def test_a_score_that_is_missing_or_not_finite_is_a_run_that_diverged_and_bars_helps(score, tmp_path):
    text = LONG.replace("p1,1,0.631\n", f"p1,1,{score}\n")
    assert text != LONG
    analysis = judged(write(tmp_path, text))
    (failure,) = analysis.failures
    assert (failure.variant, failure.seed, failure.state) == ("p1", 1, "diverged")
    assert "t.csv:6" in failure.reason
    assert analysis.row("p1").verdict != "helps"


def test_seeds_that_do_not_pair_are_named(tmp_path):
    found = judge_file(write(tmp_path, LONG.replace("p1,2,", "p1,7,")))
    assert "p1: seed 7 left out, for baseline has no such seed." in found.said
    assert "p1 has no seed 2: compared over the others." in found.said
    assert found.analysis.row("p1").gain.seeds == (0, 1)


def test_text_seeds_are_numbered_and_said(tmp_path):
    text = LONG.replace(",0,", ",first,").replace(",1,", ",second,").replace(",2,", ",third,")
    found = judge_file(write(tmp_path, text))
    assert "numbered first = 0, second = 1, third = 2" in " ".join(found.said)
    assert found.analysis.row("p1").verdict == "helps"


def test_runs_scored_on_other_units_than_the_baseline_are_not_compared(tmp_path):
    rows = [
        f"{name},{seed},{unit + (5 if name == 'p1' else 0)},{value}"
        for name, values in SCORES.items()
        for seed, value in enumerate(values)
        for unit in range(3)
    ]
    analysis = judged(write(tmp_path, "variant,seed,unit,score\n" + "\n".join(rows)))
    assert analysis.row("p1").verdict == "invalid"
    assert analysis.row("p2").verdict != "invalid"


@pytest.mark.parametrize(
    ("name", "lower"),
    [
        ("val_loss", True), ("metrics.rmse", True), ("test/error", True), ("NLL", True), ("log_likelihood", False),
        ("negative log likelihood", True), ("val accuracy", False), ("bits_per_spike", False), ("Reward", False),
        ("bits_per_byte", True), ("speed", None), ("loss_accuracy", None), ("glossary", None),
    ],
)  # fmt: skip
def test_a_score_says_whether_lower_is_better_only_where_its_name_is_well_known(name, lower):
    assert lower_is_better(name) is lower


def test_an_empty_group_of_a_wandb_export_leads_to_the_one_column_that_tells_the_runs_apart(tmp_path):
    """`Group` was taken for the variant and every row refused."""
    head = "Name,State,Group,Created,lr,seed,val_acc\n"
    rows = [f"{row.replace(',', ',finished,,2026-01-02,0.001,', 1)}\n" for row in LONG.strip().split("\n")[1:]]
    path = write(tmp_path, head + "".join(rows))
    said = fault(path, score="val_acc")
    assert "no column says which variant a run is of, for `Group` is empty\n\nhint: say --variant Name" in said
    assert judged(path, score="val_acc", variant="Name").row("p1").verdict == "helps"


@pytest.mark.parametrize("index", ["Unnamed: 0", "", "index"])
def test_the_index_of_a_frame_is_no_score_no_variant_and_is_told(index, tmp_path):
    lines = LONG.replace("score", "acc").strip().split("\n")
    found = judge_file(write(tmp_path, "\n".join(f"{i - 1 if i else index},{line}" for i, line in enumerate(lines))))
    assert found.said[0] == f"Passed over as the index of a frame: `{index or 'column 1'}`."
    assert (found.analysis.metric, found.analysis.row("p1").verdict) == ("acc", "helps")
    wide, _ = wide_by_variant()
    lines = wide.split("\n")
    found = judge_file(write(tmp_path, "\n".join(f"{i - 1 if i else index},{line}" for i, line in enumerate(lines))))
    assert {row.name for row in found.analysis.rows} == set(SCORES)


def test_a_column_without_a_name_that_does_not_count_rows_is_not_passed_over(tmp_path):
    lines = LONG.replace("score", "acc").strip().split("\n")
    text = "\n".join(f"{line},{0.5 if i else 'Unnamed: 3'}" for i, line in enumerate(lines))
    assert "the score could be `acc`, `Unnamed: 3`" in fault(write(tmp_path, text))


@pytest.mark.parametrize("power", [-50, -12, 12, 50])
def test_verdicts_are_those_of_the_scores_in_any_unit(power, tmp_path):
    usual = judged(write(tmp_path, LONG), lower_is_better=False)
    rows = [f"{name},{seed},{value}e{power}" for name, held in SCORES.items() for seed, value in enumerate(held)]
    scaled = judged(write(tmp_path, "variant,seed,score\n" + "\n".join(rows)))
    assert (scaled.winner, scaled.answer) == (usual.winner, usual.answer)
    assert [guard.kind for guard in scaled.guards] == [guard.kind for guard in usual.guards]
    for row in usual.rows:
        own = scaled.row(row.name)
        assert (own.verdict, own.verdict_note) == (row.verdict, row.verdict_note)
        if row.gain is not None:
            assert own.gain.p_holm == pytest.approx(row.gain.p_holm, rel=1e-6)
            assert own.gain.relative_interval.low == pytest.approx(row.gain.relative_interval.low, rel=1e-6)


def test_a_row_that_is_all_but_zero_beside_the_others_is_judged(tmp_path):
    """The product of two variances was 0, and a correlation divided by it."""
    rows = [f"p3,{seed},{value}e-160" for seed, value in enumerate(SCORES["p1"])]
    assert judged(write(tmp_path, LONG + "\n".join(rows))).row("p3").verdict == "hurts"


# ------------------------------------------------------------------ Python, speed, weight


def test_a_frame_is_judged_like_its_file(tmp_path):
    frame = pd.read_csv(write(tmp_path, LONG))
    found = ablate.judge(frame, expect={"p1": (0.01, 0.9)}, worth=0.02)
    assert found.row("p1").gain == judged(write(tmp_path, LONG), worth=0.02).row("p1").gain
    assert found.row("p1").prediction.outcome == "met"
    with_hole = frame.assign(seed=frame.seed.astype(float), score=frame.score.where(frame.variant != "p2"))
    assert ablate.judge(with_hole).row("p2").verdict == "invalid"


def test_ablate_and_its_judge_load_no_torch_and_ablate_alone_no_numpy():
    code = "import sys, ablate; assert 'numpy' not in sys.modules; "
    code += "import ablate.analysis.judge; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_table_of_a_thousand_rows_is_judged_whole(tmp_path):
    generator = np.random.default_rng(0)
    rows = [
        f"{'baseline' if not v else f'p{v}'},{seed},{generator.normal(1, 0.1)}"
        for v in range(100)
        for seed in range(10)
    ]
    study = judged(write(tmp_path, "variant,seed,score\n" + "\n".join(rows)))
    assert len(study.rows) == 100
    assert study.runs_done == 1000


def test_gains_that_are_equal_only_because_scores_are_rounded_have_an_interval_as_wide_as_the_rounding(tmp_path):
    """+0.01 at each of three seeds, two decimals written: p was 0 and the interval [+0.010, +0.010]."""
    scores = {"baseline": (0.30, 0.31, 0.33), "p": (0.31, 0.32, 0.34)}
    lines = [f"{name},{seed},{score}" for name, held in scores.items() for seed, score in enumerate(held)]
    path = write(tmp_path, "variant,seed,accuracy\n" + "\n".join(lines) + "\n")
    gain = judged(path).row("p").gain
    half = stats.t.ppf(0.975, 2) * math.sqrt(0.01**2 / 6 / 3)
    assert (gain.interval.low, gain.interval.high) == pytest.approx((0.01 - half, 0.01 + half))
    assert gain.p == pytest.approx(2 * stats.t.sf(0.01 / math.sqrt(0.01**2 / 6 / 3), 2))
    exact = write(tmp_path, path.read_text().replace("0.31\n", "0.3100000000000001\n"), "exact.csv")
    assert judged(exact).row("p").gain.p < 1e-6  # not rounded: the gain is the same at every seed


def test_rows_that_differ_from_one_another_in_floating_point_alone_tell_nothing_of_the_others_noise(tmp_path):
    """A constant gain has a variance of 1e-34 by its last bit: it switched the moderation of all rows off."""
    noise = np.random.default_rng(0).normal(0, 0.01, (6, 3))
    base = 0.5 + noise[0]
    rows = {f"p{i}": base + noise[i] for i in range(1, 6)}
    constant = {"same": base + 0.1, "shifted": base + 0.3}

    def table(held, name):
        lines = [f"{row},{seed},{float(score)!r}" for row, values in held.items() for seed, score in enumerate(values)]
        return write(tmp_path, "variant,seed,accuracy\n" + "\n".join(lines) + "\n", name)

    without = judged(table({"baseline": base, **rows}, "without.csv"))
    beside = judged(table({"baseline": base, **rows, **constant}, "beside.csv"))
    for name in rows:
        assert beside.row(name).gain.error == without.row(name).gain.error


def test_a_table_of_one_seed_each_is_read_and_has_no_interval(tmp_path):
    """It was refused for having no column of variants."""
    analysis = judged(write(tmp_path, "variant,seed,accuracy\nbaseline,0,0.5\np,0,0.6\n"))
    assert analysis.row("p").verdict_note == "1 seed: no interval"
    assert analysis.row("p").gain.mean == pytest.approx(0.1)


@pytest.mark.parametrize("other", ["cafe\u0301 net", "caf\u00e9\u00a0net", "caf\u00e9  net"])
def test_variants_that_look_the_same_to_a_reader_are_one_slip_and_not_two_variants(other, tmp_path):
    lines = [f"{name},{seed},0.{5 + seed}" for name in ("baseline", "caf\u00e9 net", other) for seed in (0, 1)]
    text = "variant,seed,accuracy\n" + "\n".join(lines) + "\n"
    assert "differ in blanks or in how a letter is encoded alone" in fault(write(tmp_path, text))
