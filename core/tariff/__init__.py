"""What a message costs and who earns by it (billing.md, sections 2, 3 and 8).

charge  Charge: one rated fact with every part of its price; its kind and its state
tiers   volume → earnings: F(V), what one message earns, the price of outgoing parts
rate    the split of a price; a settlement → Unrated → its charges

Rule: pure; amounts are whole micros of one currency, fractions whole millionths, each product is rounded once.
"""
