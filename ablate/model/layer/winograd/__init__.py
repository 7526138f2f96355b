"""Winograd's convolution: takes a padded map and a kernel, gives the same map as the direct way in less time on a CPU.

What it is worth is measured in docs/performance.md.
"""
