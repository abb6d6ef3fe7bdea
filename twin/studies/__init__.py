"""What people come for; each study runs simulations, judges traces and hands on what it found."""
