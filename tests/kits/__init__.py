"""One kit per plug point, run over its register."""
