"""The run: a pure ``step(state, event)``, the runner that carries its commands out, guard and watchdog."""
