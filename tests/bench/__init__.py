"""Measurements, for `script/bench`; not collected by pytest."""
