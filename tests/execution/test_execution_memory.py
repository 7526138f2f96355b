"""Free memory is what the system and the container's limit both leave."""

from ablate.execution.memory import _container, _meminfo, free_device_bytes, free_host_bytes


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
