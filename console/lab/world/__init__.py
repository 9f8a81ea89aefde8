"""The simulated cluster: hosts, links, VMs, moves by pre-copy passes, events, faults."""
