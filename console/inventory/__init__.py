"""From rows to one Cluster: which calls go to which host, in few round trips, and how answers are joined."""
