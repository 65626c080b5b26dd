"""Text of eight languages as it comes in mail, out of nothing.

    prose = language("de")
    prose.sentence(rng), prose.words(rng, 5), prose.rare(rng)

A language has some ten thousands of words, pronounceable and made up, with
the hand-written ones of words.py as the most frequent.  They occur as words
do (Zipf and Mandelbrot: the n-th with a frequency of about 1/n), between
numbers, times, addresses, host names and links.  rare() gives one of a
hundred million, as names, products and slips of the pen are: a corpus
never stops to bring new words.

Drawing a word by its frequency is slow, so that each language has a tape of
words drawn once; a sentence is a piece of it from anywhere.  Languages and
their tapes do not depend on a corpus's seed.
"""

import functools
import itertools
import random

import words

TAPE = {"en": 1 << 18, "de": 1 << 17}           # words; others:
SHORT_TAPE = 1 << 16
VOCABULARY = {"en": 42000, "de": 36000, "ja": 16000, "zh": 16000}
SMALL_VOCABULARY = 24000
MANDELBROT = 2.7
WIDE = ("ja", "zh")                             # written without spaces
NUMBERS = 0.02                                  # of all words
LONGEST = 26                                    # words a sentence


class Prose:
    def __init__(self, name):
        rng = random.Random("prose of %s" % name)
        self.wide = name in WIDE
        self.line = {"de": 9, "ru": 9, "ar": 12}.get(name, 11)
        self.parts = words.SYLLABLES[name] if not self.wide else (
            _characters(name))
        own = words.LANGUAGES[name][1]
        size = VOCABULARY.get(name, SMALL_VOCABULARY)
        made = self._made(rng, size)
        # A language's small words first, so that every text has some.
        self.vocabulary = list(dict.fromkeys(itertools.chain(own, made)))[:size]
        weights = itertools.accumulate(
            1 / (rank + MANDELBROT) for rank in range(len(self.vocabulary)))
        tape = rng.choices(self.vocabulary, cum_weights=list(weights),
                           k=TAPE.get(name, SHORT_TAPE))
        for at in range(len(tape)):
            dice = rng.random()
            if dice < NUMBERS:
                tape[at] = _number(rng, self.vocabulary)
            elif dice < 0.09 and not self.wide:
                tape[at] += ","
        self.tape = tape
        self.last = len(tape) - LONGEST

    def _made(self, rng, size):
        """Short words before long ones."""
        if self.wide:
            shares = [1 / (n + 20) for n in range(len(self.parts))]
            draw = functools.partial(rng.choices, self.parts,
                                     cum_weights=list(
                                         itertools.accumulate(shares)))
        else:
            draw = functools.partial(rng.choices, self.parts)
        for length, share in ((2, 0.35), (3, 0.55), (4, 0.3)):
            count = int(size * share)
            yield from map("".join, zip(*(draw(k=count)
                                          for _ in range(length))))

    def words(self, rng, count):
        """As many words side by side, as text."""
        at = int(rng.random() * self.last)
        return ("" if self.wide else " ").join(self.tape[at:at + count])

    def sentence(self, rng):
        dice = rng.random()
        at = int(rng.random() * self.last)
        found = self.tape[at:at + 4 + int(dice * dice * (LONGEST - 4))]
        if self.wide:
            return "".join(found) + "。"
        text = " ".join(found)
        return text[:1].upper() + text[1:].rstrip(",") + (
            "." if dice < 0.9 else "?")

    def sentences(self, rng, count):
        return ("" if self.wide else " ").join(
            [self.sentence(rng) for _ in range(count)])

    def rare(self, rng):
        dice, parts = rng.random, self.parts
        return "".join([parts[int(dice() * len(parts))] for _ in range(
            3 if self.wide else 4)])

    def name(self, rng):
        return self.rare(rng)[:10].capitalize()

    def wrap(self, text):
        """Lines of about 70 columns."""
        if self.wide:
            return [text[at:at + 36] for at in range(0, len(text), 36)]
        found = text.split(" ")
        return [" ".join(found[at:at + self.line])
                for at in range(0, len(found), self.line)]


def _characters(name):
    """The Han of a language's oldest character set (those in daily use), and
    for Japanese kana between them."""
    found = []
    if name == "zh":
        for row in range(0xB0, 0xD8):
            found += bytes(itertools.chain.from_iterable(
                (row, cell) for cell in range(0xA1, 0xFA))).decode("gb2312")
    else:
        for row in range(0x30, 0x50):
            found += bytes(itertools.chain.from_iterable(
                (row + 0x80, cell) for cell in range(0xA1, 0xFF))).decode(
                    "euc_jp", "ignore")
    random.Random(name).shuffle(found)
    if name == "ja":
        kana = [chr(code) for code in range(0x3042, 0x3094)]
        found = list(itertools.chain.from_iterable(
            zip(kana * 3, found))) + found[len(kana) * 3:]
    return found


def _number(rng, vocabulary):
    """What stands between words and is none."""
    kind = rng.randrange(8)
    number = int(10 ** rng.uniform(0, 5))
    if kind == 0:
        return "%d:%02d" % (rng.randrange(24), rng.randrange(60))
    if kind == 1:
        return "%d,%02d" % (number, rng.randrange(100))
    if kind == 2:
        return "20%02d-%02d-%02d" % (rng.randrange(10, 27), rng.randrange(1, 13),
                                     rng.randrange(1, 29))
    if kind == 3:
        return "v%d.%d.%d" % (rng.randrange(9), rng.randrange(20),
                              rng.randrange(40))
    word = plain(rng.choice(vocabulary))
    if kind == 4:
        return "https://%s.example/%s/%d" % (word, plain(rng.choice(
            vocabulary)), number)
    if kind == 5:
        return "%s@%s.example" % (word, plain(rng.choice(vocabulary)))
    return str(number)


def plain(word):
    """As it may stand in a host name."""
    return "".join(c for c in word.lower() if c.isascii() and c.isalnum()
                   ) or "x%d" % (sum(map(ord, word)) % 1000)


@functools.lru_cache(maxsize=None)
def language(name):
    return Prose(name)
