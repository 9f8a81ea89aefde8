"""The simulated cluster behind a real WinRM endpoint on loopback. Imports nothing of ours but the clock and units."""
