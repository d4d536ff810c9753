"""USSD as decisions: a turn comes, a screen goes. No socket, no clock, no database.

turn       Turn, Reply: the one form of all gateways          session    one session as a frozen value
dial       what was dialled → a code, answers behind it       screens    what a session's screen says
texts      alphabets, folding, room; paging: pages            repeats    the same turn again
words      our own sentences                                  walk       from screen to screen
inputs     what a user may type                               steps      step(), outcome(): the way in
actions    what a menu may ask of the product                 asking     the call to a partner's end point
menu       a menu as values; reading: TOML values → menu      record     a session as JSON
tree       where screens lead; checking: the whole menu       faults     what is wrong with a menu

Source: the fact sheet ussd.md; a rule that is its own names the section.
"""
