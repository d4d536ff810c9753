"""The portal: Django's project, in the plain folder site/ (house.md, section 8).

settings.py   settings_for(): Django's settings from ours
urls.py       the pages; none yet

Rule: the portal reads the store through its models and writes the catalogue through store/provisioning/ only.
"""
