"""Drainboard: empty Hyper-V failover-cluster nodes by live migration, from a terminal."""

__version__ = "0.1.0"
