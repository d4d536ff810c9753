"""The mirror of smsc_link/protocols/http."""
