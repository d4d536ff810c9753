"""Tests of the stations, one by one: doors and journal are made of values."""
