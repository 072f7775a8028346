"""Passwords: what may be one, and how it is kept.

The policy stands here and nowhere else; whoever sets a password asks `accepted`. Long enough, hard to
guess, not the one before: no rules of composition and no expiry by the calendar, which make people
choose worse. Source: NIST SP 800-63B, 3.1.1; OWASP Password Storage Cheat Sheet (argon2id, the
library's recommended cost).
"""

import asyncio
import re
import secrets
import unicodedata
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from zxcvbn import zxcvbn

from gateway.password_words import WORDS
from services.kit.problems import Problem, ValidationFailed

__all__ = ["LONGEST", "SHORTEST", "PasswordChecksBusy", "PasswordRefused", "Passwords"]

SHORTEST = 12
LONGEST = 200

_STRONG_ENOUGH = 3
"""Of zxcvbn's 0 to 4: some 10^8 guesses, each of which costs 64 MiB and 0.1 s here."""

_STRONG_WITHOUT_KNOWN_WORDS = 2
"""What is left of it without the person's own words and those of this product: some 10^6 guesses.

zxcvbn multiplies the ranks of words, so two that anybody here would try would pass for strong.
"""

_JUDGED_CHARACTERS = 48
"""Judging takes time that grows with the cube of the length: 0.02 s for 72, 1.8 s for 200 characters."""

_SHORTEST_WORD = 3

_LATIN_KEYS = str.maketrans(
    "йцукенгшщзхъфывапролджэячсмитьбюё", "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
)
_LATIN_SOUNDS = str.maketrans(
    {
        **dict(zip("абвгдезийклмнопрстуфцыэ", "abvgdeziiklmnoprstufcye", strict=True)),
        "ё": "e",
        "ж": "zh",
        "х": "h",
        "ч": "ch",
        "ш": "sh",
        "щ": "sch",
        "ъ": "",
        "ь": "",
        "ю": "yu",
        "я": "ya",
    }
)


class PasswordRefused(ValidationFailed):
    """The password is easy to guess or was the person's before; says what to do."""

    title = "Такой пароль не подходит"


class PasswordChecksBusy(Problem):
    """So many passwords wait to be checked that another would wait too long."""

    status = 503
    title = "Слишком много входов одновременно"
    headers = {"Retry-After": "2"}  # noqa: RUF012  read only; an instance copies it


class Passwords:
    """Makes and checks password hashes. A check takes 64 MiB and 0.1 s, so only some run at once."""

    def __init__(self, at_once: int, queue: int) -> None:
        self._hashing = PasswordHash((Argon2Hasher(),))
        self._turns = asyncio.Semaphore(at_once)
        self._most_present = at_once + queue
        self._present = 0
        # Checked for unknown logins, so that they take as long as known ones. Of no password.
        self._nobodys = self._hashing.hash(secrets.token_urlsafe())
        self._common = tuple(sorted({spelt for word in WORDS for spelt in _spellings(word)}))

    def require_room(self) -> None:
        """Refuse early what would have to wait too long; asked before an attempt is counted.

        Raises:
            PasswordChecksBusy: The queue is full.
        """
        if self._present >= self._most_present:
            raise PasswordChecksBusy(
                "Сервер проверяет пароли других людей.", hint="Повторите через несколько секунд."
            )

    async def accepted(
        self,
        password: str,
        *,
        about: Iterable[str],
        former: Iterable[str | None] = (),
        pointer: str = "/password",
    ) -> str:
        """Return the hash to store of a password that the policy accepts.

        Args:
            password: The new password.
            about: What the person is called; a password made of it is the first to be guessed.
            former: Hashes of passwords that must not come back.
            pointer: The field it came in.

        Raises:
            PasswordRefused: It is easy to guess, or a former one.
            PasswordChecksBusy: The queue is full.
        """
        normal = _normal(password)
        async with self._turn():
            if not await asyncio.to_thread(self._is_strong, normal, tuple(about)):
                raise _refused(
                    pointer,
                    "too-easy",
                    "Этот пароль легко подобрать. Возьмите четыре-пять не связанных между собой слов"
                    " или длинную фразу, которую знаете только вы; не используйте имя, логин, регион,"
                    " даты и ряды клавиш",
                )
            for stored in filter(None, former):
                is_same = await asyncio.to_thread(self._is_same, normal, stored)
                if is_same:
                    raise _refused(
                        pointer,
                        "used-before",
                        "Этот пароль у вас уже был. Придумайте новый: прежний мог стать известен другим",
                    )
            return await asyncio.to_thread(self._hashing.hash, normal)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Tell whether the password is the stored one; with nothing stored, after the same time.

        Raises:
            PasswordChecksBusy: The queue is full.
        """
        async with self._turn():
            matched = await asyncio.to_thread(
                self._is_same, _normal(password), stored or self._nobodys
            )
        return matched and stored is not None

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        self.require_room()
        self._present += 1
        try:
            async with self._turns:
                yield
        finally:
            self._present -= 1

    def _is_same(self, password: str, stored: str) -> bool:
        return self._hashing.verify(password, stored)

    def _is_strong(self, password: str, about: Iterable[str]) -> bool:
        own = {
            spelt
            for name in about
            for word in (name, *re.split(r"[\W_]+", name))
            if len(word) >= _SHORTEST_WORD
            for spelt in _spellings(word)
        }
        known = sorted({*own, *self._common}, key=len, reverse=True)
        words = re.compile("|".join(map(re.escape, known)))
        judged = password[:_JUDGED_CHARACTERS].lower()
        # «пароль» is also what one gets by typing gfhjkm: the lists hold the Latin keys.
        return all(
            zxcvbn(text, user_inputs=known)["score"] >= _STRONG_ENOUGH
            and zxcvbn(_without(words, text))["score"] >= _STRONG_WITHOUT_KNOWN_WORDS
            for text in {judged, judged.translate(_LATIN_KEYS)}
        )


def _spellings(word: str) -> set[str]:
    """Return a word as it is, by its sounds in Latin letters, and by its keys on a Latin keyboard."""
    plain = word.lower()
    # Without the last vowel, so that the other endings of the word are known too.
    stem = re.sub(r"(?<=.{4})[аеёиоуыэюяйьaeiouy]+$", "", plain)
    return {
        spelt
        for one in (plain, stem)
        for spelt in (one, one.translate(_LATIN_SOUNDS), one.translate(_LATIN_KEYS))
    }


def _without(words: re.Pattern[str], text: str) -> str:
    """Return the text without these words and the endings that are left of them: школ-ы, школ-ьный."""
    left = words.sub("\0", text)
    if left == text:
        return text
    rest = re.sub(r"(?<![a-zа-яё])[a-zа-яё]{1,3}(?![a-zа-яё])", "", left)
    return rest.replace("\0", "") or " "


def _normal(password: str) -> str:
    """Return one spelling of what looks alike: «й» is one character or two, as the keyboard likes."""
    return unicodedata.normalize("NFKC", password)


def _refused(pointer: str, code: str, detail: str) -> PasswordRefused:
    return PasswordRefused(
        "Выберите другой пароль.",
        errors=[{"pointer": pointer, "code": code, "detail": detail}],
    )
