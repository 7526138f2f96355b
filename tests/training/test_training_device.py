import pytest
import torch

from ablate.errors import AblateError
from ablate.training import device_name, pick_device, resolve_precision
from ablate.training.device import autocast, float32_math, keep_freed_memory, peak_memory, reset_peak_memory

CPU = torch.device("cpu")
CUDA = torch.device("cuda")


def test_auto_takes_cuda_where_there_is_one():
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert pick_device("cpu") == CPU


@pytest.mark.parametrize("name", ["tpu", "", "cuda:x", "meta", "cpu cpu"])
def test_an_unknown_device_is_the_users_mistake(name):
    with pytest.raises(AblateError) as caught:
        pick_device(name)
    assert str(caught.value) == f"error: --device: unknown device `{name}`\n\nhint: use auto, cpu, cuda, cuda:1, or mps"


def test_cuda_without_cuda_says_what_to_do(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(
        AblateError, match="this torch is built for the CPU; install one with CUDA, or use --device cpu"
    ):
        pick_device("cuda")


def test_a_cuda_device_too_many_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("cuda:1").index == 1
    with pytest.raises(AblateError, match="devices are cuda:0 to cuda:1"):
        pick_device("cuda:2")


def test_auto_precision_is_bfloat16_only_on_cuda():
    assert resolve_precision(CUDA, "auto") == "bf16"
    assert resolve_precision(CPU, "auto") == "fp32"
    assert resolve_precision(CUDA, "fp32") == "fp32"
    assert resolve_precision(CPU, "bf16") == "bf16"


def test_autocast_changes_products_and_nothing_afterwards():
    a = torch.ones(2, 2)
    with autocast(CPU, "bf16"):
        assert (a @ a).dtype == torch.bfloat16
    with autocast(CPU, "auto"):
        assert (a @ a).dtype == torch.float32
    assert (a @ a).dtype == torch.float32


def test_single_precision_is_exact_when_asked_for_and_settings_come_back():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    with float32_math(CUDA, "auto"):
        assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == ("high", True)
        with float32_math(CUDA, "fp32"):
            assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == ("highest", False)
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before


def test_the_peak_of_memory_sees_a_big_tensor():
    reset_peak_memory(CPU)
    before = peak_memory(CPU)
    big = torch.ones(50_000_000)  # 200 MB, touched
    assert big.sum() > 0
    assert peak_memory(CPU) >= before + 100_000_000


def test_the_device_has_a_name():
    assert device_name(CPU)


def test_keeping_freed_memory_is_harmless_wherever_it_is_asked_for() -> None:
    keep_freed_memory(torch.device("cpu"))
    keep_freed_memory(torch.device("meta"))
    assert torch.ones(2**24).sum() == 2**24
