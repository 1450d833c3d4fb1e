"""Sentences to be spoken: short, plain, drawn from a grammar of our own."""

import numpy as np

_NAME = (
    "Anna|Peter|Maria|Thomas|Helen|David|Laura|Simon|Julia|Martin|Clara|Robert|Nora|Victor|Emma|Daniel|Olga|Felix|"
    "Irene|George|Sarah|Oscar|Paula|Henry"
)
_PERSON = f"my brother|her aunt|our neighbour|the teacher|a young doctor|the old captain|{_NAME}"
_THING = (
    "window|door|kitchen|garden|lamp|letter|bottle|ticket|suitcase|umbrella|newspaper|piano|bicycle|blanket|mirror|"
    "ladder|basket|camera|jacket|candle|bridge|engine|kettle|pencil|drawer|fountain"
)
_QUALITY = "small|heavy|yellow|broken|wooden|quiet|narrow|green|enormous|cheap|silver|empty|golden|dusty|blue"
_PLACE = (
    "behind the station|near the harbour|at the market|under the bridge|on the third floor|across the river|"
    "in the village|beside the church|outside the theatre|along the beach|at the airport|in the northern hills"
)
_ACT = "open|close|carry|move|repair|clean|find|paint|measure|sell|wrap|bring back|look after|pick up"
_DEED = "found|bought|dropped|painted|borrowed|forgot|described|repaired|photographed|sold|noticed|carried away"
_TIME = (
    "before breakfast|on Monday morning|after the storm|late in the evening|next Thursday|every second week|"
    "at half past seven|during the holidays|just after midnight|early in spring|in the middle of June"
)
_FOOD = "bread|cheese|apples|coffee|soup|rice|honey|mushrooms|chocolate|tomatoes|fish|pepper|oranges"
_SKY = "rain|fog|sunshine|thunder|snow|wind|cloud|frost|hail"
_DIGIT = "zero|one|two|three|four|five|six|seven|eight|nine"


def sentence(random: np.random.Generator, *, words: int) -> str:
    """A text of `words` words or up to two more (at least 5): one clause or several, each of a kind drawn anew."""
    while True:
        text = _clause(random)
        while len(text.split()) < words:
            text = f"{text} {_clause(random)}"
        if len(text.split()) <= max(words, 5) + 2:
            return text


def _clause(random: np.random.Generator) -> str:
    def a(choices: str) -> str:
        listed = choices.split("|")
        return listed[random.integers(len(listed))]

    forms = (
        lambda: f"please {a(_ACT)} the {a(_QUALITY)} {a(_THING)} {a(_TIME)}.",
        lambda: f"{a(_PERSON)} {a(_DEED)} a {a(_THING)} {a(_PLACE)}.",
        lambda: f"my number is {' '.join(a(_DIGIT) for _ in range(6))}.",
        lambda: f"we need {random.integers(2, 90)} {a(_THING)}s and some {a(_FOOD)}.",
        lambda: f"there will be {a(_SKY)} {a(_PLACE)} {a(_TIME)}.",
        lambda: f"did {a(_PERSON)} {a(_ACT)} the {a(_THING)}?",
        lambda: f"{a(_NAME)} and {a(_NAME)} eat {a(_FOOD)} with {a(_FOOD)}.",
        lambda: f"call {a(_PERSON)} {a(_PLACE)}, the {a(_THING)} is {a(_QUALITY)}.",
    )
    spoken = forms[random.integers(len(forms))]()
    return spoken[0].upper() + spoken[1:]
