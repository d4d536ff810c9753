"""The door for campaigns: one text to many subscribers, at a pace. Nothing is built yet."""
