"""A Ray of a head and two nodes with a core each, on this machine."""

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
