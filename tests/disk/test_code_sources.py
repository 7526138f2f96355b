"""Which files a module of the user's is made of, by their text alone."""

from pathlib import Path

import pytest

from ablate.disk.code import source_hash, sources_of

FILES = {
    "lone.py": "import os\nimport beside\nfrom lab.nets.vit import Vit\n",
    "beside.py": "raise SystemExit('nothing is run')\n",
    "unrelated.py": "",
    "lab/__init__.py": "from . import plots\n",
    "lab/plots.py": "",
    "lab/nets/__init__.py": "",
    "lab/nets/vit.py": "from .layers import norm\nfrom ...nowhere import x\n",
    "lab/nets/layers/__init__.py": "from ..common import one\nfrom . import norms\n",
    "lab/nets/layers/norms.py": "import lab.nets.vit\n",
    "lab/nets/common.py": "from ablate.contract import Core\nthis is no Python\n",
    "ablate/contract.py": "",
}
VIT = {f"lab/nets/{name}" for name in ("vit.py", "layers/__init__.py", "layers/norms.py", "common.py")}


@pytest.mark.parametrize("installed", [False, True])
def test_a_module_is_its_file_and_what_it_imports_beside_it(tmp_path: Path, monkeypatch, installed: bool):
    root = tmp_path / ("site-packages" if installed else "project")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.syspath_prepend(str(root))

    def found(module: str) -> set[str]:
        return {file.relative_to(root).as_posix() for file in sources_of(module)}

    assert found("lab.nets.vit") == ({"lab/nets/vit.py"} if installed else VIT)
    assert found("lone") == ({"lone.py"} if installed else {"lone.py", "beside.py", *VIT})
    assert found("lab") == {"lab/__init__.py", *(() if installed else ("lab/plots.py",))}
    assert found("no_such_module.at_all") == found("sys") == found("ablate.contract") == set()


def test_of_an_installed_package_the_version_tells_the_rest(monkeypatch: pytest.MonkeyPatch):
    """All of torch was read for `torch.nn:Linear`, by every process, for some ten seconds."""
    assert [file.name for file in sources_of("torch.nn")] == ["__init__.py"]
    now = source_hash("torch.nn")
    monkeypatch.setattr("ablate.disk.code.version", lambda name: f"{name} of tomorrow")
    assert source_hash("torch.nn") != now
