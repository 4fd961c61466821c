"""English spelling to phonemes by rule, for words that no dictionary has and voices that need no dictionary.

The symbols are the ones Kokoro's English voices know: A I O W Y are the diphthongs of day, my, go, now and boy.
"""

import re

_V, _C = "[aeiouy]", "[bcdfghjklmnpqrstvwxz]"
_END = r"(?=s?\b)"

# In the order they are tried at each place of a word: letters in their context, and how they sound.
_RULES: tuple[tuple[str, str], ...] = (
    # consonants written with several letters or silent
    (r"\b[gk]n", "n"),
    (r"\bwr|\brh", "ɹ"),
    (r"\bps", "s"),
    (r"\bx", "z"),
    (r"\bwho", "hu"),
    (r"wh", "w"),
    (r"mb\b", "m"),
    (r"tch", "ʧ"),
    (r"sch", "sk"),
    (r"ch(?=r|l)", "k"),
    (r"ch", "ʧ"),
    (r"sh", "ʃ"),
    (r"ph", "f"),
    (r"\bth(?=e|is|at|an\b|us|ose|ough)|(?<=[aeo])th(?=er)", "ð"),
    (r"th", "θ"),
    (r"ck", "k"),
    (r"dge?(?=e|i)", "ʤ"),
    (r"qu", "kw"),
    (r"gh(?=[aeiou])", "ɡ"),
    (r"x", "ks"),
    # endings
    (r"(?<=[aeiou])sion", "ʒən"),
    (r"[ctsx]{1,2}ion", "ʃən"),
    (r"[ctx]i(?=ous|al|an)", "ʃ"),
    (r"ture" + _END, "ʧəɹ"),
    (r"ous\b", "əs"),
    (r"(?<=...)age" + _END, "ɪʤ"),
    (rf"(?<={_C})le" + _END, "əl"),
    (r"(?<=[td])ed\b", "ɪd"),
    (r"(?<=[ckpsfx])ed\b|(?<=[sc]h)ed\b", "t"),
    (rf"(?<={_V}{_C})ed\b|(?<={_C}{_C})ed\b", "d"),
    (r"(?<=[szxcg])es\b|(?<=[sc]h)es\b", "ɪz"),
    (r"(?<=..)ing" + _END, "ɪŋ"),
    (r"(?<=..)ism" + _END, "ɪzəm"),
    # vowels in groups and before r
    (r"eigh|aigh", "A"),
    (r"igh", "I"),
    (r"augh|ough(?=t)", "ɔ"),
    (r"ough", "O"),
    (r"eer|ear(?![nlt])|ier" + _END, "ɪɹ"),
    (r"ear", "ɜɹ"),
    (r"air|are" + _END, "ɛɹ"),
    (r"oar|oor|ore" + _END + r"|our(?!s?\b)|or(?!s?\b)", "ɔɹ"),
    (r"(?<=\b..)or" + _END + r"|(?<=\b.)or" + _END, "ɔɹ"),
    (r"our" + _END, "Wəɹ"),
    (r"or" + _END, "əɹ"),
    (r"ire" + _END, "Iəɹ"),
    (rf"(?<=..)er(?!{_V}|r)", "əɹ"),
    (rf"(?:er|ir|ur)(?!{_V}|r)", "ɜɹ"),
    (rf"ar(?!{_V}|r)", "ɑɹ"),
    (r"ea(?=d\b|th)", "ɛ"),
    (r"ee|ea|ei|ie(?=[a-z])", "i"),
    (r"oo(?=k)", "ʊ"),
    (r"oo|ue\b|ui(?=t)", "u"),
    (r"ew|eu", "ju"),
    (r"oa|oe", "O"),
    (r"(?<=[lrnsh])ow(?=n?s?\b)", "O"),
    (r"ou|ow", "W"),
    (r"ai|ay", "A"),
    (r"oi|oy", "Y"),
    (r"au|aw", "ɔ"),
    (r"ey\b|ie\b", "i"),
    # vowels made long by what follows, and vowels that end the word
    (rf"(?<=\b{_C})e\b|(?<=\b[st]h)e\b", "i"),
    (rf"(?<={_V}{_C})e" + _END + rf"|(?<={_C}{_C})e" + _END + rf"|(?<={_V}{_C})e(?=ment|ful|less|ly)", ""),
    (rf"a(?={_C}e[sdr]?\b|{_C}i{_V}|tion)|(?<={_V}{_C})a(?=te)", "A"),
    (rf"i(?={_C}e[sdr]?\b)", "I"),
    (rf"o(?={_C}e[sdr]?\b)", "O"),
    (rf"(?<=[rljs])u(?={_C}e|{_C}{_V})", "u"),
    (rf"u(?={_C}e|{_C}{_V})", "ju"),
    (r"a\b", "ə"),
    (r"[ei]\b", "i"),
    (r"o\b", "O"),
    (r"u\b", "u"),
    (rf"(?<=\b{_C})y\b|(?<=\b{_C}{_C})y\b|y(?={_C}e)", "I"),
    (r"y\b", "i"),
    (r"\by|(?<=[aeiou])y(?=[aeiou])", "j"),
    (rf"\ba(?={_C}{_V})", "ə"),
    (r"(?<=..)[aeo](?=[nlm]\b|nt|nce|ts?\b)", "ə"),
    (rf"i(?=[ao]|{_C}{{0}}u)", "i"),
    # single letters
    (r"sc(?=[eiy])|c(?=[eiy])|ss", "s"),
    (r"cc(?=[eiy])", "ks"),
    (r"g(?=[eiy])", "ʤ"),
    (r"n(?=[kgcqx])", "ŋ"),
    (r"(?<=n)g\b", ""),
    (rf"(?<={_V})s(?={_V})|(?<=[aeiouybdglmnrvw])s\b", "z"),
    (r"bb?", "b"),
    (r"cc?|kk?|q", "k"),
    (r"dd?", "d"),
    (r"ff?", "f"),
    (r"gg?", "ɡ"),
    (r"h(?=[aeiouy])", "h"),
    (r"h", ""),
    (r"j", "ʤ"),
    (r"ll?", "l"),
    (r"mm?", "m"),
    (r"nn?", "n"),
    (r"pp?", "p"),
    (r"rr?", "ɹ"),
    (r"s", "s"),
    (r"tt?", "t"),
    (r"vv?", "v"),
    (r"ww?", "w"),
    (r"zz?", "z"),
    (r"a", "æ"),
    (r"e", "ɛ"),
    (r"[iy]", "ɪ"),
    (r"o", "ɑ"),
    (r"u", "ʌ"),
)
_SCAN = re.compile("|".join(f"({pattern})" for pattern, _ in _RULES))
_VOWEL = re.compile("[AIOWYiuɑɔɛɜɪʊʌæ]")

_LETTERS = {
    "a": "ˈA", "b": "bˈi", "c": "sˈi", "d": "dˈi", "e": "ˈi", "f": "ˈɛf", "g": "ʤˈi", "h": "ˈAʧ", "i": "ˈI", "j": "ʤˈA",
    "k": "kˈA", "l": "ˈɛl", "m": "ˈɛm", "n": "ˈɛn", "o": "ˈO", "p": "pˈi", "q": "kjˈu", "r": "ˈɑɹ", "s": "ˈɛs",
    "t": "tˈi", "u": "jˈu", "v": "vˈi", "w": "dˈʌbəljˌu", "x": "ˈɛks", "y": "wˈI", "z": "zˈi",
}  # fmt: skip


def sounded(word: str) -> str:
    """Phonemes of an English word, its first full vowel stressed; letters outside a-z are passed over."""
    sounds = "".join(_RULES[match.lastindex - 1][1] for match in _SCAN.finditer(word.lower()) if match.lastindex)
    return _VOWEL.sub(lambda vowel: "ˈ" + vowel[0], sounds, count=1)


def spelt(word: str) -> str:
    """Phonemes of the names of a word's letters, the last one stressed: USB is "jˌu ˌɛs bˈi"."""
    names = [_LETTERS[letter] for letter in word.lower() if letter in _LETTERS]
    return " ".join([*(name.replace("ˈ", "ˌ") for name in names[:-1]), *names[-1:]])
