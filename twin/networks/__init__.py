"""What runs between units: one file, one medium; each compiles a plant into index tables and solves a tick."""
