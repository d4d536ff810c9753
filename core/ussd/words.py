"""Our own sentences on screens, in the languages that we know; a menu may have its own under the same names.

WORDS   language → name → the sentence, with shorter ones behind it
NAMES   what every language of a menu must have, from here or from the menu
say_now   a sentence without a menu: for sessions that nobody knows

Rule: no sentence of ours is longer than 80 characters, so each fits a screen of any alphabet.
"""

from collections.abc import Mapping

from core.ussd.texts import Room, write
from core.ussd.turn import Reply

Texts = Mapping[str, tuple[str, ...]]

WORDS: Mapping[str, Texts] = {
    "en": {
        "input_wrong": ("This cannot be right.",),
        "resume": ("You were not finished.\n1 Continue\n2 New",),
        "expired": ("The session has expired. Please dial again.",),
        "later": ("This does not work right now. Please try later.",),
        "pending": ("Being processed. You get an SMS.",),
        "tries": ("Too many wrong entries. Please dial again.",),
        "turns": ("This took too long. Please dial again.",),
    },
    "fr": {
        "input_wrong": ("Saisie incorrecte.",),
        "resume": ("Vous n'aviez pas fini.\n1 Continuer\n2 Nouveau",),
        "expired": ("La session a expiré. Composez à nouveau.",),
        "later": ("Service indisponible. Essayez plus tard.",),
        "pending": ("En cours. Vous recevrez un SMS.",),
        "tries": ("Trop d'erreurs. Composez à nouveau.",),
        "turns": ("C'était trop long. Composez à nouveau.",),
    },
    "ru": {
        "input_wrong": ("Неверный ввод.",),
        "resume": ("Вы не закончили.\n1 Продолжить\n2 Заново",),
        "expired": ("Сеанс истёк. Наберите ещё раз.",),
        "later": ("Сейчас не работает. Попробуйте позже.",),
        "pending": ("Выполняется. Вам придёт SMS.",),
        "tries": ("Слишком много ошибок. Наберите ещё раз.",),
        "turns": ("Прошло слишком много шагов. Наберите ещё раз.",),
    },
}
NAMES = frozenset(WORDS["en"])


def say_now(name: str, room: Room, language: str = "en") -> Reply:
    """A last screen with one of our sentences."""
    return Reply(write(WORDS.get(language, WORDS["en"])[name][0], room).text, end=True, screen=name)
