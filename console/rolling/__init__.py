"""The rolling run's shell: plans each node's drain, starts it, runs the hook, resumes, and lives in a process."""
