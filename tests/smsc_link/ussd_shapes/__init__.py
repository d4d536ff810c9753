"""The shapes of HTTP gateways, by the vectors of the sheet and by rules of their own."""
