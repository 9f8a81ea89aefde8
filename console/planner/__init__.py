"""Where each VM goes and when: placement, schedule, lower bounds, rolling order. Pure."""
