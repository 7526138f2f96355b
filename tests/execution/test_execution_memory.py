"""Free memory is what the system and the container's limit both leave."""

import pytest

from ablate.execution import memory
from ablate.execution.memory import (
    FEWEST,
    SAMPLE,
    SETTLED,
    DeviceState,
    Packing,
    _container,
    _meminfo,
    device_state,
    free_device_bytes,
    free_host_bytes,
)

GB = 10**9


def test_the_systems_estimate_is_read(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 100 kB\nMemAvailable:      7 kB\n")
    assert _meminfo(tmp_path / "meminfo") == 7168
    assert _meminfo(tmp_path / "absent") is None


def test_a_containers_limit_counts_and_its_file_cache_does_not(tmp_path):
    for name, text in (("max", "1000\n"), ("current", "700\n"), ("stat", "anon 500\ninactive_file 150\n")):
        (tmp_path / f"memory.{name}").write_text(text)
    assert _container(tmp_path) == 450
    (tmp_path / "memory.max").write_text("max\n")
    assert _container(tmp_path) is None
    assert _container(tmp_path / "absent") is None


def test_this_machine_has_free_memory():
    free = free_host_bytes()
    assert free is None or free > 2**20


def test_a_machine_without_the_vendors_tool_has_unknown_device_memory(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert free_device_bytes("0") is None
    assert device_state("0") is None


def test_of_several_devices_the_fullest_and_the_busiest_count(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\necho "100, 30, 7"\necho "80, 50, 95"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert device_state("0,1") == DeviceState(80 * 2**20, 50 * 2**20, 0.95)


class Card:
    """A GPU with a planted state, and a clock; `taken` is of all runs there."""

    def __init__(self, monkeypatch):
        self.now, self.state = 0.0, DeviceState(free=70 * GB, taken=10 * GB, busy=0.5)
        self.packing = Packing(clock=lambda: self.now)
        monkeypatch.setattr(memory, "device_state", lambda device: self.state)

    def asked_for(self, seconds, runs, largest=0):
        """Whether it said once that there is room, asked every second."""
        for _ in range(int(seconds)):
            self.now += 1
            if self.packing.room("0", runs, largest):
                return True
        return False


@pytest.fixture
def card(monkeypatch):
    return Card(monkeypatch)


def test_an_idle_half_of_a_device_takes_a_second_run_once_it_was_seen_to_be_idle(card):
    assert card.packing.room("0", 0, 0)
    card.packing.began("0")
    assert not card.asked_for(SETTLED + 2 * FEWEST, runs=1)
    assert card.asked_for(SETTLED, runs=1)


@pytest.mark.parametrize(
    ("state", "largest", "room"),
    [
        (DeviceState(free=70 * GB, taken=10 * GB, busy=0.5), 0, True),
        (DeviceState(free=70 * GB, taken=10 * GB, busy=0.95), 0, False),  # no time left
        (DeviceState(free=10 * GB, taken=10 * GB, busy=0.5), 0, False),  # a run as large as this one would just not fit
        (DeviceState(free=70 * GB, taken=10 * GB, busy=0.5), 65 * GB, False),  # one that has ended was larger
        (DeviceState(free=70 * GB, taken=10 * GB, busy=0.5), 60 * GB, True),
    ],
)
def test_room_is_time_and_memory(card, state, largest, room):
    card.state = state
    card.packing.began("0")
    assert card.asked_for(100, runs=1, largest=largest) is room


def test_what_was_seen_while_a_run_was_opened_does_not_count(card):
    card.packing.began("0")
    card.state = DeviceState(free=80 * GB, taken=0, busy=0.0)
    assert not card.asked_for(SETTLED - 1, runs=1)
    card.state = DeviceState(free=70 * GB, taken=10 * GB, busy=1.0)
    assert not card.asked_for(100, runs=1)


def test_a_device_that_had_room_for_two_is_given_two_again_at_once_and_a_third_only_when_seen(card):
    card.packing.began("0")
    assert card.asked_for(100, runs=1)
    card.packing.began("0")
    assert card.packing.room("0", 1, 0)
    assert not card.packing.room("0", 2, 0)
    card.state = DeviceState(free=60 * GB, taken=20 * GB, busy=0.85)
    assert card.asked_for(100, runs=2)


def test_short_runs_are_seen_together(card):
    """Runs of a few looks each: what was seen of one counts for the next."""
    for _ in range(2):
        card.packing.began("0")
        assert not card.asked_for(SETTLED + SAMPLE, runs=1)
    card.packing.began("0")
    assert card.asked_for(SETTLED + SAMPLE, runs=1)


def test_a_device_that_cannot_be_asked_keeps_one_run(card):
    card.state = None
    card.packing.began("0")
    assert not card.asked_for(1000, runs=1)
