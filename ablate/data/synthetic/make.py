"""A world into recording folders, once: in a cache keyed by the world and the generator's version.

Whoever comes second waits for the first maker's lock and then finds the folders; a maker that dies leaves nothing
but a hidden folder beside, since the whole world is moved in by one rename.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

from ablate.data.recording import Recording, write_recording
from ablate.data.synthetic.behavior import behavior_columns
from ablate.data.synthetic.clip import clip_file, clip_movie, read_film
from ablate.data.synthetic.eye import eye_position
from ablate.data.synthetic.movie import make_movie
from ablate.data.synthetic.units import make_units, world_rates
from ablate.data.synthetic.world import WorldConfig, session_name
from ablate.disk.cache import CACHE_VARIABLE, cache_folder
from ablate.disk.digest import file_hash
from ablate.disk.lock import locked
from ablate.disk.whole import whole_folder
from ablate.errors import AblateError

GENERATOR = 2  # raise it whenever the same configuration would give other numbers: old caches are then left alone


def materialise(world: WorldConfig) -> Path:
    """The folder that holds the world's recordings; makes them where they are not there yet."""
    folder = cache_folder() / f"synthetic_v1-{world_key(world)[:16]}"
    if folder.is_dir():
        return folder
    try:
        with locked(folder.with_suffix(".lock"), wait=True):
            if not folder.is_dir():
                _make(world, folder)
    except OSError as error:
        hint = f"set {CACHE_VARIABLE} to a folder with room, and write access"
        raise AblateError(f"the data could not be written: {error.strerror}", where=str(folder), hint=hint) from error
    return folder


def make_session(world: WorldConfig, index: int) -> Recording:
    """One session in memory. Movie, eye, units and spikes each have their own stream of random numbers."""
    movie, eye, units, spikes = (
        np.random.Generator(np.random.Philox(seed)) for seed in np.random.SeedSequence([world.seed, index]).spawn(4)
    )
    position = eye_position(eye, world.frames, world.bin_rate_hz)
    size = (world.height, world.width, world.bin_rate_hz)
    if world.movie.clip is None:
        stimulus, source = make_movie(movie, position, *size), ""
    else:
        film = clip_file(world.movie.clip)
        stimulus, source = clip_movie(movie, position, read_film(film), *size), f", film {film.name}"
    behavior, names = behavior_columns(position, world.behaviors, world.bin_rate_hz)
    drawn = make_units(units, world, world.units_of_sessions[index], names)
    rates = world_rates(drawn, world, stimulus, behavior)
    return Recording(
        name=session_name(index),
        bin_rate_hz=world.bin_rate_hz,
        stimulus=stimulus,
        spikes=np.minimum(spikes.poisson(rates.true), 255).astype(np.uint8),
        behavior=behavior if world.behaviors else None,
        rates=rates.true,
        floor_rates=rates.floor,
        behavior_names=names,
        notes={
            "source": f"ablate synthetic_v1, generator {GENERATOR}{source}",
            **({} if source else {"license": "CC0"}),
        },
    )


def world_key(world: WorldConfig) -> str:
    """Hash of everything that the recordings depend on, defaults included: a changed default makes another world. Of a
    film its content, wherever it lies; without one the hash is that of before there were any."""
    options = world.model_dump(mode="json", exclude={"movie"})
    if world.movie.clip is not None:
        options["clip"] = file_hash(clip_file(world.movie.clip))
    identity = json.dumps({"generator": GENERATOR, **options}, sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()


def _make(world: WorldConfig, folder: Path) -> None:
    with whole_folder(folder) as beside:
        for index in range(world.sessions):
            write_recording(beside / session_name(index), make_session(world, index), checked=False)
