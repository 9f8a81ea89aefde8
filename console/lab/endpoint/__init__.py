"""WinRM on loopback: HTTP, sign-in, WS-Management, PSRP, CLIXML. Knows nothing of clusters."""
