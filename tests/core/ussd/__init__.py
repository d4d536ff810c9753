"""USSD as decisions: turns, screens, menus, sessions."""
