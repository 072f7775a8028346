"""What may be a password, and how long the queue of checks grows."""

import asyncio

import pytest

from gateway.passwords import PasswordChecksBusy, PasswordRefused, Passwords

ABOUT = ("ivanova.velizh", "Иванова Мария Петровна")


@pytest.fixture(scope="module")
def passwords():
    return Passwords(at_once=2, queue=2)


async def refusal(passwords, password, **options):
    with pytest.raises(PasswordRefused) as refused:
        await passwords.accepted(password, about=ABOUT, **options)
    (error,) = refused.value.members["errors"]
    assert any("а" <= letter <= "я" for letter in error["detail"])
    return error["code"]


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "P@ssw0rd12345",
        "qwertyuiop123",
        "йцукенгшщзхъ",
        "111111111111",
        "abcabcabcabc",
        "пароль1234567",
        "gfhjkm123456",
        "Gfhjkm-123456",
        "привет привет привет",
        "ivanova.velizh2026",
        "Иванова Мария",
        "ИвановаМария2026!",
        "bdfyjdf vfhbz",
        "Смоленская область",
        "Смоленск2026!",
        "smolensk2026school",
        "директоршколы1",
        "Школа12345678",
        "опораопора12",
        "сентябрь2026!!",
        "x" * 200,
        "password1234" * 16,
    ],
)
async def test_what_a_guesser_tries_first_is_no_password(passwords, password):
    assert await refusal(passwords, password) == "too-easy"


@pytest.mark.parametrize(
    "password",
    [
        # No kinds of characters are asked for: length and surprise count.
        "три-слова-и-число-42",
        "яблоко тихий парус",
        "длинный пароль для испытаний",
        "a long enough password",
        "школа за углом пахнет яблоками",
        "Xk3!vq9#Lm2$",
        "8395017264930185",
        "мм😀 гроза над рекой",
    ],
)
async def test_a_long_surprising_phrase_is_one(passwords, password):
    stored = await passwords.accepted(password, about=ABOUT)

    assert stored.startswith("$argon2id$")
    assert await passwords.matches(password, stored)
    assert not await passwords.matches(password + " ", stored)


async def test_the_passwords_before_do_not_come_back(passwords):
    former = [
        await passwords.accepted(one, about=()) for one in ("тихий парус 1812", "гроза 471 у реки")
    ]

    for one in ("тихий парус 1812", "гроза 471 у реки"):
        assert await refusal(passwords, one, former=[None, *former]) == "used-before"
    assert await passwords.accepted("совсем другие слова 7", about=ABOUT, former=[None, *former])


async def test_a_letter_spelt_in_two_characters_is_the_same_letter(passwords):
    composed, decomposed = "тихи\u0439 парус 1812", "тихи\u0438\u0306 парус 1812"
    stored = await passwords.accepted(composed, about=())

    assert composed != decomposed
    assert await passwords.matches(decomposed, stored)


async def test_a_long_password_is_judged_in_short_time(passwords):
    loop = asyncio.get_running_loop()
    started = loop.time()
    for awkward in ("@4" * 100, "".join(chr(33 + i * 7 % 90) for i in range(200)), "е3" * 100):
        await asyncio.to_thread(passwords._is_strong, awkward, ABOUT)

    # Twenty seconds and more when all of their 200 characters are judged.
    assert loop.time() - started < 3


async def test_a_full_queue_of_checks_is_told_at_once(passwords):
    stored = await passwords.accepted("тихий парус 1812", about=())

    answers = await asyncio.gather(
        *(passwords.matches("wrong", stored) for _ in range(10)), return_exceptions=True
    )

    # Two at once and two that wait; the rest is refused and has cost nothing.
    assert sum(answer is False for answer in answers) == 4
    refused = [answer for answer in answers if isinstance(answer, PasswordChecksBusy)]
    assert len(refused) == 6
    assert refused[0].response_headers["Retry-After"]
    assert not await passwords.matches("wrong", stored)
