"""The roof: command line, configuration, putting it together.

cli       the subcommands and their --help; one line for a user's mistake
config    TOML and environment → Config
roles     the composition: builds what each role needs and joins it
logs      the log's format; masks numbers and secrets
demo      everything in one process tree

Rule: whatever one door needs from another is handed over here.
"""
