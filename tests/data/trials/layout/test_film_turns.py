"""A film that is turned by no quarter is refused, not taken to the nearest one. Needs no film."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ablate.data.trials.layout.frames import film
from ablate.errors import AblateError


def test_a_film_turned_by_no_quarter_is_refused_with_its_name(monkeypatch):
    monkeypatch.setattr(film, "_decoded", lambda file, start: iter([SimpleNamespace(time=0.0, rotation=45)]))
    stretch = film.Stretch(Path("tilted.mp4"), start=0.0, intervals=1, interval_s=1.0)
    with pytest.raises(AblateError, match=r"tilted\.mp4: its pictures are turned by 45 degrees"):
        film.read_frames(stretch, film.FilmStyle(frames=1, size=4))
