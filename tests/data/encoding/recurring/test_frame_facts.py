"""What is asked of the pixels is asked in pieces, so that a recording may be larger than memory."""

import tracemalloc

import numpy as np

from ablate.data.encoding.recurring import frame_facts


def test_the_memory_that_is_taken_does_not_grow_with_frames_or_their_size(tmp_path, monkeypatch):
    """Frames of 200 x 200 pixels once took 600 MB more than they are."""
    monkeypatch.setattr(frame_facts, "PIECE_BYTES", 1 << 18)
    shown = np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=np.uint8, shape=(3000, 60, 60))
    shown[:] = np.random.default_rng(0).integers(0, 4, shown.shape, dtype=np.uint8)
    tracemalloc.start()
    facts = frame_facts.frame_facts(shown)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < shown.nbytes / 3
    # Four values equally often: two pixels are equal in a quarter of the pairs, which is two bits.
    assert abs(facts.bits / (2 * 60 * 60) - 1) < 0.02


def test_pieces_of_pixels_give_the_bits_of_all_at_once(monkeypatch):
    shown = np.random.default_rng(1).integers(0, 3, (400, 9, 11)).astype(np.uint8)
    shown[:, :4] = shown[:, 4:5]
    whole = frame_facts.frame_facts(shown)
    monkeypatch.setattr(frame_facts, "PIECE_BYTES", 4096)
    assert frame_facts.frame_facts(shown).bits == whole.bits
