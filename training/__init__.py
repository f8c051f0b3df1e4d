"""Makes the bundled network. Never imported by `grading`; needs the `training` extra (torch)."""
