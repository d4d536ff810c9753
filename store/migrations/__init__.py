"""How the schema came to be what it is; written by `make migrations`, applied by `tollbridge migrate`."""
