"""Singer tap for Epicor Kinetic."""
