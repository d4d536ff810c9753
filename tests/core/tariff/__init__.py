"""Tests of core/tariff: what a message costs and who earns by it."""
