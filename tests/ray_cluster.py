"""A Ray of a head and two nodes with a core each, on this machine; what its autoscaler is told to make nodes of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LITTLE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
"""A node that takes little memory."""


@contextmanager
def ray_cluster() -> Iterator[Any]:
    """Yields the cluster, to which this process is connected. Everything ends with the block."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={**LITTLE, "num_cpus": 0, "include_dashboard": False})
    try:
        for _ in range(2):
            cluster.add_node(**LITTLE)
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def scaling(most: int) -> dict[str, Any]:
    """Up to so many nodes with a core each, beside a head without any: processes, by Ray's own provider for tests."""
    commands = [f"{what}_commands" for what in ("setup", "initialization")]
    commands += [f"{who}_{what}_commands" for who in ("head", "worker") for what in ("setup", "start_ray")]
    provider = dict.fromkeys(("use_node_id_as_ip", "disable_node_updaters", "disable_launch_config_check"), True)
    node = {"CPU": 1, "object_store_memory": LITTLE["object_store_memory"]}
    return {
        "cluster_name": "growing",
        "provider": {"type": "fake_multinode", **provider},
        "max_workers": most,
        "upscaling_speed": 1.0,
        "idle_timeout_minutes": 1,
        "head_node_type": "ray.head.default",
        "available_node_types": {
            "ray.head.default": {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
            "small": {"resources": node, "node_config": {}, "max_workers": most},
        },
        **{name: [] for name in (*commands, "cluster_synced_files", "rsync_exclude", "rsync_filter")},
        **{name: {} for name in ("auth", "docker", "file_mounts", "head_node", "worker_nodes")},
        "file_mounts_sync_continuously": False,
    }
