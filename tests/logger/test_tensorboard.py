"""What TensorBoard's own reader finds in what was written."""

import json
from dataclasses import replace

import pytest

from ablate.logger.tensorboard import TensorBoardConfig

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
pytestmark = pytest.mark.filterwarnings("default")


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    found.Reload()
    return found


def scalars(found, name):
    return [(event.step, event.value) for event in found.Scalars(name)]


def the_only_run(root):
    (place,) = (path for path in root.iterdir() if path.is_dir())
    return place


def test_curve_end_tags_and_parameters_are_read_back(tmp_path, run, curve, end):
    logger = TensorBoardConfig().build("little", tmp_path)
    assert logger.begin(run) == 0
    logger.points(run, curve[:2])
    logger.points(run, curve[2:])
    assert logger.held() == frozenset()
    logger.end(run, end)
    logger.close()
    assert logger.held() == {run.key}
    place = the_only_run(tmp_path / "tensorboard")
    assert place.name == "p1+p2-seed-3-abababab"
    found = read(place)
    assert scalars(found, "train/loss") == [(point.step, pytest.approx(1 / point.step)) for point in curve]
    assert scalars(found, "validation/score") == [(4, pytest.approx(0.123456789))]
    assert scalars(found, "final/test") == [(4, 0.25)]
    (text,) = found.Tensors("run/text_summary")
    told = text.tensor_proto.string_val[0].decode()
    assert "* variant: p1+p2" in told
    assert "* verdict/p1+p2: helps" in told
    assert hyperparameters(found)["model.core.dropout"].number_value == 0.1
    assert hyperparameters(found)["seed"].string_value == "3"


def hyperparameters(found):
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    content = found.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    return HParamsPluginData.FromString(content).session_start_info.hparams


def test_a_run_that_goes_on_or_is_trained_again_has_one_curve(tmp_path, run, curve, end):
    for shift in (0.0, 1.0):  # the second time it is trained anew, and stopped in between
        for points in (curve[:3], curve):
            logger = TensorBoardConfig().build("little", tmp_path)
            assert logger.begin(run) == 0
            logger.points(run, [moved(point, shift) for point in points])
            if points is curve:
                logger.end(run, end)
            logger.close()
    found = read(the_only_run(tmp_path / "tensorboard"))
    assert scalars(found, "train/loss") == [(point.step, pytest.approx(1 / point.step + 1)) for point in curve]
    assert scalars(found, "final/test") == [(4, 0.25)]


def moved(point, shift):
    return replace(point, numbers={name: value + shift for name, value in point.numbers.items()})


def test_a_mark_that_was_cut_off_stands_for_no_run_and_a_folder_may_be_chosen(tmp_path, run, end):
    config = TensorBoardConfig(folder=str(tmp_path / "all"))
    logger = config.build("little", tmp_path / "study")
    logger.begin(run)
    logger.end(run, end)
    mark = the_only_run(tmp_path / "all" / "little") / "ablate.json"
    assert json.loads(mark.read_text()) == {"key": run.key}
    mark.write_text('{"key": "ab')
    assert logger.held() == frozenset()
    assert not (tmp_path / "study").exists()
