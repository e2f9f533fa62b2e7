"""Singer tap for SYSPRO."""
