"""Films are decoded once: features are kept under what names a picture, which nobody has to decode to know."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_model
from trial_folders import CPU

from ablate.contract import FusionBatch
from ablate.data import TrialsConfig
from ablate.data.trials.example import write_example
from ablate.data.trials.layout.frames import film as films
from ablate.data.trials.layout.frames.film import FilmStyle, Stretch, read_frames, slot_keys
from ablate.model.fusion.media import MediaConfig, MediaStack
from ablate.model.fusion.model import FusionConfig
from ablate.model.video.small_vit import SmallVitConfig

av = pytest.importorskip("av")
pytest.importorskip("mne")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("films") / "trials"
    write_example(place, "mne", subjects=2, each=8)
    return place


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The films that were opened to be decoded, one entry each time."""
    opened: list[Path] = []
    honest = films._decoded

    def counting(file: Path, start: float):
        opened.append(file)
        return honest(file, start)

    monkeypatch.setattr(films, "_decoded", counting)
    return opened


def data_of(folder: Path, **options: object):
    more = {"layout": "mne", "frames": 3, "image_size": 16, **options}
    return TrialsConfig(path=str(folder), **more).open(CPU)  # type: ignore[arg-type]


def stack_of(data, **video: object) -> MediaStack:
    options = {"patch_size": 8, "width": 16, "frozen": True, "weights_seed": 0, **video}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MediaStack(MediaConfig(embedding_dim=8, video=SmallVitConfig(**options)), data.spec)  # type: ignore[arg-type]


def epoch(stack: MediaStack, data, split: str = "train") -> torch.Tensor:
    rows = np.arange(len(data.splits[split]))
    with torch.no_grad():
        return torch.cat([stack(data.batch(split, some))[0] for some in np.array_split(rows, 3)])


def test_the_second_epoch_of_a_finished_cache_decodes_no_film(folder, decoded, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path))
    data = data_of(folder)
    stack = stack_of(data)
    first = epoch(stack, data)
    assert len(decoded) == len(data.splits["train"])
    decoded.clear()
    assert torch.equal(epoch(stack, data), first)
    assert decoded == []
    again = data_of(folder)  # another process: nothing is kept but the files of the cache
    assert torch.equal(epoch(stack_of(again), again), first)
    assert decoded == []


def test_shuffled_pairs_share_the_features(folder, decoded, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path))
    own = data_of(folder)
    epoch(stack_of(own), own)
    decoded.clear()
    shuffled = data_of(folder, shuffle_pairs=True)
    epoch(stack_of(shuffled), shuffled)
    assert decoded == []


def test_what_is_not_kept_is_read_as_before(folder, decoded, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path))
    data = data_of(folder)
    kept, trained = stack_of(data), stack_of(data, frozen=False)
    assert torch.allclose(epoch(kept, data), epoch(trained, data), atol=2e-2)  # features are kept as float16
    decoded.clear()
    epoch(trained, data)
    assert len(decoded) == len(data.splits["train"])
    other = data_of(folder, image_size=24)
    decoded.clear()
    epoch(stack_of(other), other)  # other pictures of the same films
    assert len(decoded) == len(other.splits["train"])


def test_frames_of_a_batch_are_read_when_they_are_asked_for(folder, decoded) -> None:
    data = data_of(folder)
    batch = data.batch("train", np.arange(4))
    assert decoded == []
    halves = batch.cut(2)
    assert decoded == []
    assert torch.equal(torch.cat([half.frames for half in halves]), batch.frames)
    assert isinstance(batch, FusionBatch)
    assert len(decoded) == 4


def a_film(file: Path, left: int, right: int) -> Stretch:
    """4 x 2: a left half and a right half of one grey each."""
    picture = np.full((64, 128, 3), left, dtype=np.uint8)
    picture[:, 64:] = right
    with av.open(str(file), "w") as target:
        stream = target.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
        for _ in range(20):
            target.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        target.mux(stream.encode())
    return Stretch(file, 0.0, 1, 2.0)


def test_a_films_frames_keep_their_aspect_ratio_unless_told_otherwise(tmp_path: Path) -> None:
    picture = np.zeros((64, 128, 3), np.uint8)
    picture[:, 48:80] = 255  # a square of 32 x 64 in the middle
    with av.open(str(tmp_path / "bar.mp4"), "w") as target:
        stream = target.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
        for _ in range(20):
            target.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        target.mux(stream.encode())
    stretch = Stretch(tmp_path / "bar.mp4", 0.0, 1, 2.0)
    shares = {}
    for fit in ("crop", "stretch"):
        frames, mask = read_frames(stretch, FilmStyle(2, 32, fit))
        assert frames.shape == (1, 2, 32, 32, 3)
        assert mask.all()
        shares[fit] = float((frames[0, 0, 16] > 128).mean())
    assert shares == {"crop": pytest.approx(0.5, abs=0.07), "stretch": pytest.approx(0.25, abs=0.07)}


def test_a_picture_is_named_by_film_stretch_slot_and_style(tmp_path: Path) -> None:
    one = a_film(tmp_path / "one.mp4", 20, 200)
    style = FilmStyle(4, 16)
    keys = slot_keys(one, style)
    assert keys.shape == (1, 4, 2)
    assert len({tuple(key) for key in keys[0].tolist()}) == 4
    assert (keys == slot_keys(one, style)).all()
    (tmp_path / "copy.mp4").write_bytes((tmp_path / "one.mp4").read_bytes())
    assert (keys == slot_keys(Stretch(tmp_path / "copy.mp4", 0.0, 1, 2.0), style)).all()
    others = [
        slot_keys(a_film(tmp_path / "two.mp4", 30, 200), style),
        slot_keys(Stretch(one.file, 0.5, 1, 2.0), style),
        slot_keys(one, FilmStyle(4, 24)),
        slot_keys(one, FilmStyle(4, 16, "stretch")),
    ]
    assert not any((keys == other).all(axis=2).any() for other in others)


def test_no_film_is_decoded_twice_for_an_encoder_of_another_study_that_is_kept_frozen(
    folder, decoded, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path))
    data = data_of(folder)
    config = {"embedding_dim": 8, "video": {"type": "small_vit", "patch_size": 8, "width": 16}}
    save_model(FusionConfig.model_validate(config).build(data.spec), str(tmp_path / "weights.safetensors"))
    init = {"path": str(tmp_path), "parts": ["video"], "frozen": True}
    model = FusionConfig.model_validate({**config, "init": init}).build(data.spec)
    model.begin()
    first = epoch(model.media, data)
    assert len(decoded) == len(data.splits["train"])
    decoded.clear()
    assert torch.equal(epoch(model.media, data), first)
    assert decoded == []
