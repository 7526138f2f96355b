"""Pictures of a fitted model, drawn from chosen numbers; their file is whole or refused."""

from pathlib import Path

import pytest
from matplotlib.axes import Axes

from ablate.errors import AblateError
from ablate.report.figures import rendered
from ablate.report.figures.model import CATALOGUE, drawings
from ablate.result import RunRecord, Store
from ablate.result.picture import (
    AttentionPicture,
    KernelPicture,
    ModelPicture,
    ReadoutPicture,
    UnitPicture,
    picture_folder,
    read_picture,
    write_picture,
)

KEY = "ab" * 10


def picture() -> ModelPicture:
    return ModelPicture(
        key=KEY,
        variant="tokens",
        seed=0,
        readouts=(
            ReadoutPicture(
                session="<b>monkey</b>",
                rows=(0.1, -0.5),
                cols=(0.3, 0.2),
                row_std=(0.2, 0.1),
                col_std=(0.1, 0.1),
                angle=(0.0, 0.5),
                scores=(0.4, None),
            ),
        ),
        kernels=KernelPicture(weights=((0.1, 0.5, 0.2), (0.0, -0.5, 0.4)), bin_rate_hz=120.0),
        units=(
            UnitPicture(
                rank="best",
                session="monkey",
                unit=3,
                score=0.41,
                first_bin=100,
                bin_rate_hz=120.0,
                spikes=(0, 1, 0, 2),
                predicted=(0.1, 0.6, 0.3, 0.9),
                true=(0.1, 0.5, 0.2, 1.0),
            ),
        ),
        attention=(
            AttentionPicture(name="spatial_blocks 0", kind="space", values=((1.0, 0.5), (1.5, 1.0))),
            AttentionPicture(name="temporal_blocks 0", kind="matrix", values=((1.0, 0.0), (0.5, 0.5))),
        ),
    )


def test_every_kind_of_picture_is_drawn_the_same_each_time() -> None:
    first = {drawing.name: rendered(figure, "svg") for drawing, figure in drawings(picture())}
    assert list(first) == [drawing.name for drawing in CATALOGUE]
    assert first == {drawing.name: rendered(figure, "svg") for drawing, figure in drawings(picture())}
    assert b"best: monkey unit 3, 0.410 bits/spike" in first["rates"]


def axes_of(name: str) -> list[Axes]:
    return next(figure for drawing, figure in drawings(picture()) if drawing.name == name).axes


def test_rates_are_in_hertz_and_a_bin_of_two_spikes_has_two_ticks() -> None:
    (axes,) = axes_of("rates")
    predicted = next(line for line in axes.lines if line.get_label() == "predicted rate")
    assert list(predicted.get_ydata()) == pytest.approx([120 * rate for rate in (0.1, 0.6, 0.3, 0.9)])  # type: ignore[arg-type]
    ticks = [len(ticks.get_segments()) for ticks in axes.collections]  # type: ignore[attr-defined]
    assert ticks == [2, 1]  # bins with a spike; bins with a second one


def test_kernels_go_from_the_bin_into_positive_milliseconds_and_every_channel_is_named() -> None:
    (axes,) = axes_of("kernels")
    assert list(axes.lines[1].get_xdata()) == pytest.approx([0, 1000 / 120, 2000 / 120])  # type: ignore[arg-type]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["channel 1", "channel 2"]


def test_even_attention_over_steps_is_one_in_every_row() -> None:
    matrix = next(axes for axes in axes_of("attention") if axes.get_title(loc="left") == "temporal_blocks 0")
    values = matrix.images[0].get_array()
    assert values.compressed().tolist() == pytest.approx([1.0, 1.0, 1.0])  # type: ignore[union-attr]


def test_a_model_without_numbers_has_no_picture() -> None:
    assert list(drawings(ModelPicture(key=KEY, variant="tokens", seed=0))) == []


def test_numbers_survive_their_file(tmp_path: Path) -> None:
    path = write_picture(tmp_path, picture())
    assert path == tmp_path / "pictures" / KEY / "pictures.json"
    assert read_picture(tmp_path, KEY) == picture()
    assert read_picture(tmp_path, "cd" * 10) is None


def test_a_damaged_file_is_refused_with_the_way_out(tmp_path: Path) -> None:
    write_picture(tmp_path, picture()).write_text('{"key": "x"}')
    with pytest.raises(AblateError, match="`ablate show` draws it again"):
        read_picture(tmp_path, KEY)


def test_a_file_of_another_run_is_refused(tmp_path: Path) -> None:
    path = write_picture(tmp_path, picture())
    other = picture_folder(tmp_path, "cd" * 10)
    other.mkdir()
    (other / "pictures.json").write_bytes(path.read_bytes())
    with pytest.raises(AblateError, match="belongs to another run"):
        read_picture(tmp_path, "cd" * 10)


def test_the_picture_of_a_run_that_was_trained_again_is_gone(tmp_path: Path) -> None:
    """A report showed the model of before beside the scores of the new one: a key is the same for both."""
    store = Store(tmp_path)
    record = RunRecord(key=KEY, study="s", variant="v", seed=0, state="done", config={})
    store.put(record)
    write_picture(tmp_path, picture())
    store.put(record)
    assert read_picture(tmp_path, KEY) == picture()
    store.put(record, replace=True)
    assert read_picture(tmp_path, KEY) is None
