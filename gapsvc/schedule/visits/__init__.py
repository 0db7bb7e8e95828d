"""The preventive visit schedule (Bright Futures/AAP periodicity): a dated data file, and a child's plan under it."""
